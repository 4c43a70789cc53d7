"""`/`, `/-/sign-in` and `/-/sign-out`."""

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as Redirect
from wtforms import PasswordField

from app import auth
from app.auth import LoginFailed
from app.web import admission, session
from app.web.home import next_page, repos
from app.web.rendering import page
from app.wire import context

blueprint = Blueprint("home", __name__)


class SignInForm(FlaskForm):
    """A token, or the master key."""

    token = PasswordField("Token")


@blueprint.get("/")
def show() -> Response:
    """Show the sign-in, or the repos of the user."""
    if admission.viewer_or_none() is None:
        return page("home/sign_in.html", form=SignInForm(), next="/")
    return page("home/home.html", **repos.of_viewer())


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
    return redirect(there, 303)


@blueprint.post("/-/sign-out")
def end() -> Redirect:
    """Sign out."""
    admission.check_form()
    session.end()
    flash("You are signed out.")
    return redirect(url_for("web.home.sign_in"), 303)
