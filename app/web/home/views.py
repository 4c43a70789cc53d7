"""`/`, `/<owner>`, `/-/sign-in` and `/-/sign-out`."""

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as Redirect
from wtforms import PasswordField

from app import auth
from app.auth import LoginFailed
from app.domain.names import RESERVED
from app.domain.tokens import Access
from app.web import admission, session
from app.web.home import creation, next_page, owners, repos
from app.web.home.creation import RepoForm
from app.web.parts import numbered as numbered_pages
from app.web.rendering import page
from app.wire import context

blueprint = Blueprint("home", __name__)


class SignInForm(FlaskForm):
    """A token, or the master key."""

    token = PasswordField("Token")


@blueprint.get("/")
def show() -> Response:
    """Show the sign-in; or the repos of the user, and what others share with them; or all owners to the master key."""
    caller = admission.viewer_or_none()
    if caller is None:
        return page("home/sign_in.html", form=SignInForm(), next="/")
    if caller.is_master:
        q = request.args.get("q", "").strip()
        numbered, found = owners.find(q, numbered_pages.asked())
        return page("home/owners.html", q=q, numbered=numbered, owners=found)
    return _show_repos(RepoForm())


@blueprint.get("/<user:owner>")
def of_owner(owner: str) -> Response:
    """Show what the viewer may see of an owner's repos."""
    admission.admit()
    return _show_repos(RepoForm())


@blueprint.post("/<user:owner>")
def create(owner: str) -> Response | Redirect:
    """Make a repo for a user, by the user or the master key; the form is shown again where it has mistakes."""
    admission.admit()
    form = RepoForm()
    repo, status = creation.create(form)
    if repo is None:
        return _show_repos(form, status)
    flash(f"Repo {repo.name} is made.")
    return redirect(url_for("web.repo.show", owner=owner, repo_name=repo.name), 303)


def _show_repos(form: RepoForm, status: int = 200) -> Response:
    """Show the repos of the owner whom the address names; of the viewer, beside those that others share, without."""
    caller = context.principal()
    is_own = not caller.is_master and not caller.is_guest
    numbered, cards = repos.of_owner(numbered_pages.asked())
    shared, following = repos.shared(request.args.get("after", "")) if is_own else ((), None)
    return page(
        "home/repos.html",
        status,
        owner=caller.owner,
        is_own=is_own,
        has_pages=caller.owner not in RESERVED,
        may_create=caller.owner not in RESERVED and admission.may(Access.WRITE),
        numbered=numbered,
        cards=cards,
        shared=shared,
        following=following,
        form=form,
    )


@blueprint.get("/-/sign-in")
def sign_in() -> Response:
    """Show the form to sign in."""
    return page("home/sign_in.html", form=SignInForm(), next=next_page.safe(request.args.get("next"), "/"))


@blueprint.post("/-/sign-in")
def begin() -> Response | Redirect:
    """Sign in with a token; 401, counted as a failed login, where it is wrong."""
    admission.check_form()
    form = SignInForm()
    secret, there = (form.token.data or "").strip(), next_page.safe(request.args.get("next"), "/")
    accounts = context.services().accounts
    try:
        context.identify(lambda key: auth.authenticate_secret(accounts, key, secret), None)
    except LoginFailed as error:
        form.token.errors = [str(error)]
        return page("home/sign_in.html", 401, form=form, next=there)
    session.begin(context.principal())
    return redirect(f"{request.script_root}{there}", 303)


@blueprint.post("/-/sign-out")
def end() -> Redirect:
    """Sign out."""
    admission.check_form()
    session.end()
    flash("You are signed out.")
    return redirect(url_for("web.home.sign_in"), 303)
