"""The forms of labels and tags."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField

from app.domain.preconditions import ANY, Precondition

NOTHING = "none"  # the version of a label that is not there


class LabelForm(FlaskForm):
    """Why a label is changed, and the version of it that the person has seen."""

    reason = StringField("Why")
    version = HiddenField()

    def precondition(self) -> Precondition:
        """Return the condition that the label is as the person has seen it."""
        seen = self.version.data or NOTHING
        if seen == NOTHING:
            return Precondition(none_match=frozenset({ANY}))
        return Precondition(match=frozenset({seen}))


class MoveForm(LabelForm):
    """Where a label goes: the commit of the preview that the person has seen."""

    ref = HiddenField("Move it to")


class ProtectForm(LabelForm):
    """Who may move a label."""

    who = StringField("Who may move it")  # `all`: every writer; anything else: the owner and the users
    protected = StringField("Users")


class NewLabelForm(FlaskForm):
    """The name of a new label, and the commit that it goes to."""

    name = StringField("Name")
    to = StringField("Commit")


class TagForm(FlaskForm):
    """A new tag."""

    name = StringField("Name")
    ref = StringField("Commit")
    message = TextAreaField("Message")
    reason = StringField("Why")
