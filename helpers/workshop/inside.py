"""What the grader keeps inside a submission's kernel, to look after the checks.

The text of this file is run in the kernel before anything of the learner's is. It imports the real
checks, remembers every function and class of `helpers` as it is then, and records what the real
check finds, for the exercise that the grader is asking about and for no other. It is no
barrier: code in the same process that sets out to deceive can find it. It tells learners who solved
an exercise from those who replaced `check`, patched `helpers`, or published a card of their own.
"""

import builtins
import importlib
import json
import os
import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

# Names that a lab has from here are the course's own; no exercise asks to redefine one.
_DESK = "helpers.course"
_OWN_OF_THE_KERNEL = {"_", "input", "display", "get_ipython"}  # it sets these itself, cell by cell
_PLAIN = (bool, int, float, str, tuple, frozenset)


class Guard:
    """Remembers the course as it was, restores it, and records what the real checks find."""

    def __init__(self, names: dict[str, Any], module: str, work: str, hidden: list[str]) -> None:
        """Import the checks of a module.

        Args:
            names: the notebook's variables.
            module: its number, such as "01".
            work: the folder in which the lab runs.
            hidden: folders that must not be on the import path: the instructor's own course.
        """
        sys.path[:] = [place for place in sys.path if str(Path(place).resolve()) not in hidden]
        self._names = names
        self._work = Path(work)
        self._modules: dict[str, ModuleType] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        self._names_of: dict[str, set[str]] = {}
        self._code: dict[int, tuple[FunctionType, tuple[Any, ...]]] = {}
        self._notes: list[str] = []
        self._results: dict[str, dict[str, Any]] = {}
        self._asked: str | None = None
        exercises = importlib.import_module("helpers.course.exercises.define").of_module(module)
        self._exercises = {exercise.id: exercise for exercise in exercises}
        self._record(importlib.import_module("helpers.course.check"))
        self._builtins = {
            name: value
            for name, value in vars(builtins).items()
            if callable(value) and name not in _OWN_OF_THE_KERNEL
        }
        self.look()

    def _record(self, check: Any) -> None:
        real = check.run_check

        def run_check(exercise: Any, submission: object) -> Any:
            number = exercise if isinstance(exercise, str) else exercise.id
            card = real(self._exercises.get(number, exercise), submission)
            if number == self._asked and number in self._exercises:
                failed = [case for case in card.cases if not case.passed]
                self._results[number] = card.data() | {
                    "summary": card.summary,
                    "failed": [[case.name, dict(case.rows)] for case in failed],
                }
            return card

        check.run_check = run_check

    def look(self) -> None:
        """Restore what was replaced, and remember the modules that are new."""
        self._restore_builtins()
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
                self._note(f"replaced the module {name}")
            self._restore(name, module)
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "helpers" and name not in self._modules:
                self._modules[name] = module
                self._facts[name] = self._remember(name, module)

    def before(self, imports: dict[str, list[str]], asked: str) -> None:
        """Make ready for a cell of the lab itself.

        Args:
            imports: what the lab's cells so far have imported from the course: variable ->
                [module, name].
            asked: the exercise whose check this cell runs, or "".
        """
        self._work.mkdir(parents=True, exist_ok=True)
        os.chdir(self._work)
        self.look()
        for variable, (module, name) in imports.items():
            if module not in self._modules or not module.startswith(_DESK):
                continue
            # A module in a package is no attribute of it before something has imported it.
            real = getattr(self._modules[module], name, self._modules.get(f"{module}.{name}"))
            if real is None or variable not in self._names:
                continue  # the cell that imports it has still to run
            if self._names[variable] is not real:
                self._names[variable] = real
                self._note(f"replaced {variable}")
        self._asked = asked or None

    def report(self, token: str) -> str:
        """What the real checks found so far, as JSON; nothing is recorded until the next cell."""
        self._asked = None
        return json.dumps({"token": token, "results": self._results, "notes": self._notes})

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)

    def _restore_builtins(self) -> None:
        for name, value in self._builtins.items():
            if getattr(builtins, name, None) is not value:
                setattr(builtins, name, value)
                self._note(f"replaced the built-in {name}")

    def _remember(self, owner: str, place: ModuleType | type) -> dict[str, Any]:
        facts = {}
        self._names_of[owner] = set(vars(place))
        constants = owner.startswith(_DESK)
        for name, value in list(vars(place).items()):
            if name.startswith("__") and isinstance(place, ModuleType):
                continue
            if isinstance(value, FunctionType):
                inner = (value.__code__, value.__defaults__, value.__kwdefaults__)
                self._code[id(value)] = (value, inner)
            elif isinstance(value, type) and value.__module__ == owner:
                key = f"{owner}.{value.__qualname__}"
                self._facts.setdefault(key, self._remember(key, value))
            wrapped = isinstance(value, (classmethod, staticmethod, property))
            if callable(value) or wrapped or (constants and isinstance(value, _PLAIN)):
                facts[name] = value
        return facts

    def _restore(self, owner: str, place: ModuleType | type) -> None:
        present = vars(place)
        if isinstance(place, type):  # a new __getattribute__ or __eq__ would overrule the old ones
            for name in set(present) - self._names_of[owner]:
                if callable(present[name]) or isinstance(present[name], property):
                    delattr(place, name)
                    self._note(f"added {owner}.{name}")
        for name, value in self._facts[owner].items():
            if present.get(name) is not value:
                setattr(place, name, value)
                self._note(f"replaced {owner}.{name}")
            if isinstance(value, FunctionType):
                self._restore_function(f"{owner}.{name}", value)
            elif isinstance(value, type) and f"{owner}.{value.__qualname__}" in self._facts:
                self._restore(f"{owner}.{value.__qualname__}", value)

    def _restore_function(self, name: str, function: FunctionType) -> None:
        _, inner = self._code[id(function)]
        if (function.__code__, function.__defaults__, function.__kwdefaults__) != inner:
            function.__code__, function.__defaults__, function.__kwdefaults__ = inner
            self._note(f"changed the function {name}")
