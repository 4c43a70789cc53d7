"""`/<owner>/<repo_name>/settings` and `/-/deleted/<owner>`."""

from flask import Response, flash, redirect, url_for
from werkzeug.wrappers import Response as Redirect

from app import auth
from app.schemas.repo_life import DeletedRepoQuerySchema
from app.web import admission
from app.web.parts.refusals import attempt
from app.web.rendering import page
from app.web.sharing import changes, deleted_repos, settings
from app.web.sharing.forms import DeleteForm, GrantForm, RenameForm, RestoreForm, TransferForm
from app.wire import context
from app.wire.query import load_query

blueprint = admission.pages("sharing")

_SETTINGS = "/<user:owner>/<repo_name>/settings"
_DELETED = "/-/deleted/<user:owner>"
_QUERY = DeletedRepoQuerySchema()


@blueprint.before_request
def require_owner() -> None:
    """Refuse everybody but the owner and the master key."""
    auth.check_moving(context.principal())


@blueprint.get(_SETTINGS)
def show(owner: str, repo_name: str) -> Response:
    """Show the settings of a repo."""
    return _page()


@blueprint.post(f"{_SETTINGS}/grants")
def share(owner: str, repo_name: str) -> Response | Redirect:
    """Share a repo with a user, or change what they may do."""
    auth.check_sharing(context.principal())
    form = GrantForm(prefix=settings.GRANT)
    asked = form.read()
    if asked is None:
        return _page(422, grant=form)
    done, status = attempt(form, lambda: changes.share(admission.place(), *asked, form.reason.data))
    if done is None:
        return _page(status, grant=form)
    return _to_settings(owner, repo_name, f"{asked[0]} has {asked[1]} access now.")


@blueprint.post(f"{_SETTINGS}/grants/<user_id>/stop")
def stop_sharing(owner: str, repo_name: str, user_id: str) -> Redirect:
    """Stop sharing a repo with a user."""
    auth.check_sharing(context.principal())
    changes.stop_sharing(admission.place(), user_id)
    return _to_settings(owner, repo_name, f"The repo is no longer shared with {user_id}.")


@blueprint.post(f"{_SETTINGS}/rename")
def rename(owner: str, repo_name: str) -> Response | Redirect:
    """Give a repo another name."""
    form = RenameForm(prefix=settings.RENAME)
    asked = form.read()
    if asked is None:
        return _page(422, rename=form)
    done, status = attempt(form, lambda: changes.rename(owner, repo_name, asked, form.reason.data))
    if done is None:
        return _page(status, rename=form)
    return _to_settings(owner, done, f"{repo_name} is {done} now. The old name leads here.")


@blueprint.post(f"{_SETTINGS}/transfer")
def transfer(owner: str, repo_name: str) -> Response | Redirect:
    """Give a repo to another user, once its name is typed; with the master key alone."""
    auth.check_transfer(context.principal())
    form = TransferForm(prefix=settings.TRANSFER)
    asked = form.read()
    if not form.confirms(repo_name) or asked is None:
        return _page(422, transfer=form)
    done, status = attempt(form, lambda: changes.transfer(owner, repo_name, asked, form.reason.data))
    if done is None:
        return _page(status, transfer=form)
    return _to_settings(done, repo_name, f"{repo_name} belongs to {done} now.")


@blueprint.post(f"{_SETTINGS}/delete")
def delete(owner: str, repo_name: str) -> Response | Redirect:
    """Delete a repo, once its name is typed."""
    form = DeleteForm(prefix=settings.DELETE)
    if not form.confirms(repo_name):
        return _page(422, delete=form)
    done, status = attempt(form, lambda: changes.delete(owner, repo_name, form.reason.data))
    if done is None:
        return _page(status, delete=form)
    flash(f"{repo_name} is deleted. Here it can be restored.")
    return redirect(url_for(".show_deleted", owner=owner), 303)


@blueprint.get(_DELETED)
def show_deleted(owner: str) -> Response:
    """Show the deleted repos of a user that can be restored."""
    return page("sharing/deleted.html", **deleted_repos.read(owner, load_query(_QUERY, is_open=True)))


@blueprint.post(f"{_DELETED}/<repo_name>/<id_>")
def restore(owner: str, repo_name: str, id_: str) -> Response | Redirect:
    """Restore a deleted repo, perhaps under another name."""
    form = RestoreForm(prefix=f"{id_}_")
    asked = form.read(id_)
    done, status = None, 422
    if asked is not None:
        done, status = attempt(form, lambda: changes.restore(owner, repo_name, id_, asked["name"], form.reason.data))
    if done is None:
        found = deleted_repos.read(owner, load_query(_QUERY, is_open=True), {id_: form})
        return page("sharing/deleted.html", status, **found)
    return _to_settings(owner, done, f"{done} is restored.")


def _page(status: int = 200, **sent: object) -> Response:
    return page("sharing/settings.html", status, **settings.read(admission.place(), context.principal(), **sent))


def _to_settings(owner: str, repo_name: str, message: str) -> Redirect:
    flash(message)
    return redirect(url_for(".show", owner=owner, repo_name=repo_name), 303)
