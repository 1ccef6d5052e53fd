"""The one way a state changes: django-fsm behind a protected, reload-safe, typed field.

The library's own mixins leave a protected state stale or raise on `refresh_from_db`, and its
descriptor can be switched off for every thread at once; these few lines replace them.
"""

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.db import models
from django.db.models.signals import class_prepared
from django_fsm import FSMField, FSMFieldDescriptor, TransitionNotAllowed
from django_fsm import transition as _transition

from config.kernel.errors import IllegalTransition

_OF_MIGRATIONS = "__fake__"

M = TypeVar("M", bound="StateModel")
P = ParamSpec("P")
R = TypeVar("R")


class StateDescriptor(FSMFieldDescriptor):
    """Refuses assignment, except while the database itself is being read again."""

    def __set__(self, instance: models.Model, value: str) -> None:
        if getattr(instance._state, "reloading", False):
            instance.__dict__[self.field.attname] = value
        else:
            super().__set__(instance, value)


class StateField(FSMField):
    """A state that only a transition may change, and that a reload still brings up to date."""

    descriptor_class = StateDescriptor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"protected": True, "editable": False, **kwargs})

    def contribute_to_class(self, cls: Any, name: str, *args: Any, **kwargs: Any) -> None:
        super().contribute_to_class(cls, name, *args, **kwargs)
        if cls.__module__ == _OF_MIGRATIONS:
            # Models of a migration's state have no transitions; each would leave a listener that
            # is asked about every model made after it, and migrating would take a minute.
            class_prepared.disconnect(self._collect_transitions)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("protected", None)
        return name, "config.kernel.fsm.StateField", args, kwargs


class StateModel(models.Model):
    """A model with a machine: `refresh_from_db` reads the state too."""

    class Meta:
        abstract = True

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self._state.reloading = True  # type: ignore[attr-defined]  # our own flag on ModelState
        try:
            super().refresh_from_db(*args, **kwargs)
        finally:
            self._state.reloading = False  # type: ignore[attr-defined]


def transition(
    *,
    field: Any,
    source: str | Sequence[str],
    target: str,
    conditions: Sequence[Callable[[Any], bool]] = (),
) -> Callable[[Callable[Concatenate[M, P], R]], Callable[Concatenate[M, P], R]]:
    """Declare a transition. Its body sets its own fields and nothing else; it neither saves nor locks.

    Raises IllegalTransition when the present state or a condition forbids it.
    """
    sources = [source] if isinstance(source, str) else list(source)

    def declare(method: Callable[Concatenate[M, P], R]) -> Callable[Concatenate[M, P], R]:
        moved = _transition(
            field=field, source=sources, target=target, conditions=list(conditions)
        )(method)

        def refusing(self: M, /, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return cast("R", moved(self, *args, **kwargs))
            except TransitionNotAllowed:
                raise IllegalTransition(
                    f"{self._meta.verbose_name} cannot {method.__name__.replace('_', ' ')} now.",
                    allowed=allowed_transitions(self),
                ) from None

        refusing.__name__, refusing.__doc__ = method.__name__, method.__doc__
        refusing._django_fsm = moved._django_fsm  # type: ignore[attr-defined]  # the library looks for it
        return refusing

    return declare


def allowed_transitions(instance: models.Model) -> list[str]:
    """Names of the transitions that the instance's state allows now, sorted."""
    names = []
    for state_field in instance._meta.get_fields():
        if isinstance(state_field, StateField):
            available = getattr(instance, f"get_available_{state_field.name}_transitions")
            names += [moved.name for moved in available()]
    return sorted(names)


def transitions_of(model: type[models.Model], name: str = "state") -> list[tuple[str, str, str]]:
    """Every (transition, source, target) of a machine, for tests, diagrams and bulk updates."""
    available = getattr(model, f"get_all_{name}_transitions")
    return sorted((t.name, t.source, t.target) for t in available(model()))
