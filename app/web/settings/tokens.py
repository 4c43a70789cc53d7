"""The tokens of a user, as pages list and change them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Response, flash, redirect, url_for
from werkzeug.wrappers import Response as Redirect

from app.domain.errors import NotPermitted
from app.domain.names import RESERVED
from app.domain.tokens import Token, TokenRequest
from app.registry.users import user_tokens
from app.registry.users.user_files import User
from app.web import admission, session
from app.web.parts.refusals import attempt
from app.web.rendering import page
from app.web.settings.confirmations import Confirmation
from app.web.settings.forms import ConfirmForm, TokenForm
from app.wire import context

ADDRESS = "tokens/<token_name>/<any(rotate, revoke):act>"  # behind the address of the list


@dataclass(frozen=True, slots=True)
class Shown:
    """A token of a list. `refusal` says why the viewer may not rotate or revoke it; None where they may."""

    token: Token
    is_in_use: bool
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a user, for a viewer who has the token `by`, or the master key, where it is None.

    `back` is the address of the page with the list.
    """

    user: User
    by: Token | None
    back: str

    @property
    def has_pages(self) -> bool:
        """Tell whether the repos of the user have pages: an id may be reserved for other addresses."""
        return self.user.id not in RESERVED

    @property
    def shown(self) -> Sequence[Shown]:
        """The tokens that the viewer sees."""
        seen = user_tokens.seen_by(self.user, self.by)
        return [Shown(each, self._is_in_use(each), user_tokens.refusal(self.by, self.user.id, each)) for each in seen]

    @property
    def refusal(self) -> str | None:
        """Why the viewer may make no token at all; None where they may make one."""
        limits = () if self.by is None else (self.by.access, self.by.repos, self.by.expires)
        return user_tokens.refusal(self.by, self.user.id, TokenRequest("", *limits))

    def make(self, form: TokenForm) -> tuple[Response | None, int]:
        """Make a token, and return the page with its secret; None and a status where the form has mistakes.

        NotPermitted where the viewer may make no token at all.
        """
        if self.refusal:
            raise NotPermitted(self.refusal)
        request = form.read()
        if request is None:
            return None, 422
        accounts, user_id = context.services().accounts, self.user.id
        made, status = attempt(
            form, lambda: user_tokens.create(accounts, admission.origin(), user_id, request, self.by)
        )
        return (None, status) if made is None else (self._secret(*made), 201)

    def ask(self, name: str, act: str) -> Response:
        """Ask before a token is rotated or revoked; NotPermitted where the viewer may not."""
        token = user_tokens.find(self.user.tokens, name)
        user_tokens.check(self.by, self.user.id, token)
        confirmation = self._confirmation(act, token)
        return page("settings/confirm.html", form=ConfirmForm(), confirmation=confirmation, back=self.back)

    def change(self, name: str, act: str) -> Response | Redirect:
        """Rotate or revoke a token. Whoever revokes the one in use is signed out."""
        accounts, user_id = context.services().accounts, self.user.id
        is_in_use = self._is_in_use(user_tokens.find(self.user.tokens, name))
        if act == "rotate":
            made = user_tokens.rotate(accounts, admission.origin(), user_id, name, self.by)
            if is_in_use:
                session.begin(replace(context.principal(), token=made[0]))
            return self._secret(*made)
        user_tokens.revoke(accounts, admission.origin(), user_id, name, self.by)
        if is_in_use:
            session.end()
        flash(f"The token {name} is revoked.")
        return redirect(url_for("web.home.sign_in") if is_in_use else self.back, 303)

    def _confirmation(self, act: str, token: Token) -> Confirmation:
        whose = f"of user {self.user.id}" if self.by is None else "of yours"
        if act == "rotate":
            told = ["It gets a new secret, which is shown once. The old secret stops working at once."]
            if self._is_in_use(token):
                told.append("You stay signed in here. All else that uses this token needs the new secret.")
            return Confirmation(f"Rotate the token {token.name} {whose}?", told, "Rotate")
        told = ["Whoever uses it is let in no more, at once. It cannot be brought back."]
        if self._is_in_use(token):
            told.append("You are signed in with this token, and will be signed out.")
        if len(self.user.tokens) == 1:
            told.append("It is the last token: after it, only the operator can make another.")
        return Confirmation(f"Revoke the token {token.name} {whose}?", told, "Revoke")

    def _is_in_use(self, token: Token) -> bool:
        return self.by is not None and token.sha256 == self.by.sha256

    def _secret(self, token: Token, secret: str) -> Response:
        return page("settings/secret.html", 201, token=token, secret=secret, user_id=self.user.id, back=self.back)
