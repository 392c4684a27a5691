"""Answers to exercise 06.1, right and wrong."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from helpers.authoring.answers import right, wrong

Answer = tuple[list[Any], dict[int, str]]


class Base:
    """A loop that is right, in steps; the answers below change a step."""

    deaths_allowed = 1

    def __init__(self, workers: list[Any], texts: list[str]) -> None:
        self.texts = texts
        self.vectors: list[Any] = [None] * len(texts)
        self.failed: dict[int, str] = {}
        self.todo, self.deaths = deque(range(len(texts))), Counter[int]()
        self.free, self.running = deque(workers), dict[Any, tuple[int, Any]]()

    def run(self) -> Any:
        while self.running or (self.todo and self.free):
            while self.todo and self.free:
                place, worker = self.todo.popleft(), self.free.popleft()
                self.running[worker.embed.remote(self.texts[place])] = place, worker
            self.finish(self.ready())
        return self.result()

    def ready(self) -> Any:
        import ray

        return ray.wait([*self.running], num_returns=1)[0][0]

    def finish(self, reference: Any) -> None:
        import ray

        place, worker = self.running.pop(reference)
        try:
            self.vectors[place] = ray.get(reference)
        except ray.exceptions.ActorDiedError:
            self.died(place, worker)
        except ray.exceptions.RayTaskError as error:
            self.poisoned(place, error)
            self.free.append(worker)
        else:
            self.free.append(worker)

    def died(self, place: int, worker: Any) -> None:
        self.deaths[place] += 1
        if self.deaths[place] > self.deaths_allowed:
            self.failed[place] = "it kills workers"
        else:
            self.todo.append(place)

    def poisoned(self, place: int, error: Any) -> None:
        self.failed[place] = str(error.cause)

    def result(self) -> Any:
        for place in self.todo:
            self.failed[place] = "nobody left"
        return self.vectors, self.failed


def loop(cls: type[Base]) -> Callable[..., Any]:
    """The function that runs such a loop."""
    return lambda workers, texts: cls(workers, texts).run()


@wrong("Returns the vectors alone.", slip="no-pair")
def vectors_alone() -> object:
    class Loop(Base):
        def result(self) -> Any:
            return super().result()[0]

    return loop(Loop)


@wrong("Takes the texts out of the list that it is given.", slip="changed")
def empties_the_list() -> object:
    def embed_all(workers: list[Any], texts: list[str]) -> Any:
        result = Base(workers, list(texts)).run()
        texts.clear()
        return result

    return embed_all


@wrong("Takes dead workers out of the list that it is given.", slip="changed")
def takes_workers_out() -> object:
    def embed_all(workers: list[Any], texts: list[str]) -> Any:
        result = Base(workers, texts).run()
        workers.append(workers.pop(0))
        return result

    return embed_all


@wrong("Vectors in the order in which they are ready.", slip="another-order")
def in_order_of_arrival() -> object:
    class Loop(Base):
        def __init__(self, workers: list[Any], texts: list[str]) -> None:
            super().__init__(workers, texts)
            self.vectors = []
            self.todo.reverse()

        def finish(self, reference: Any) -> None:
            import ray

            _, worker = self.running.pop(reference)
            self.vectors.append(ray.get(reference))
            self.free.append(worker)

    return loop(Loop)


@wrong("The newest text comes first into the list.", slip="by-text")
def by_text() -> object:
    def embed_all(workers: list[Any], texts: list[str]) -> Any:
        once = list(dict.fromkeys(texts))
        return Base(workers, once).run()

    return embed_all


@wrong("A dict from text to place: of two equal texts one gets its vector.", slip="by-text")
def place_of_text() -> object:
    def embed_all(workers: list[Any], texts: list[str]) -> Any:
        places = {text: place for place, text in enumerate(texts)}
        vectors, failed = Base(workers, list(places)).run()
        found: list[Any] = [None] * len(texts)
        for text, vector in zip(places, vectors, strict=True):
            found[places[text]] = vector
        return found, {places[list(places)[place]]: why for place, why in failed.items()}

    return embed_all


@wrong("The loop that ActorPool's documentation shows.", slip="stops-at-poison")
def actor_pool() -> object:
    def embed_all(workers: list[Any], texts: list[str]) -> Any:
        from ray.exceptions import RayError
        from ray.util import ActorPool

        vectors: list[Any] = []
        try:
            for vector in ActorPool(workers).map(lambda w, t: w.embed.remote(t), texts):
                vectors.append(vector)
        except RayError as error:
            return [*vectors, *[None] * (len(texts) - len(vectors))], {len(vectors): str(error)}
        return vectors, {}

    return embed_all


@wrong("Says that a text failed, and not why.", slip="no-message")
def no_message() -> object:
    class Loop(Base):
        def poisoned(self, place: int, error: Any) -> None:
            self.failed[place] = type(error.cause).__name__

    return loop(Loop)


@wrong("Tries a poisoned text three times.", slip="asked-again")
def asks_again() -> object:
    class Loop(Base):
        def poisoned(self, place: int, error: Any) -> None:
            self.deaths[place] += 1
            if self.deaths[place] < 3:
                self.todo.append(place)
            else:
                super().poisoned(place, error)

    return loop(Loop)


@wrong("The worker that met a poisoned text gets nothing more.")
def drops_the_worker() -> object:
    class Loop(Base):
        def poisoned(self, place: int, error: Any) -> None:
            super().poisoned(place, error)
            self.free.append(None)

        def finish(self, reference: Any) -> None:
            super().finish(reference)
            if None in self.free:
                self.free.remove(None)
                self.free.pop()

    return loop(Loop)


@wrong("Reports a ValueError alone.", slip="unreported")
def catches_value_error() -> object:
    class Loop(Base):
        def poisoned(self, place: int, error: Any) -> None:
            if isinstance(error.cause, ValueError):
                super().poisoned(place, error)

    return loop(Loop)


@wrong("ActorPool in order: a free worker waits for the first text.", slip="not-shared")
def pool_in_order() -> object:
    def embed_all(workers: list[Any], texts: list[str]) -> Any:
        from ray.exceptions import RayTaskError
        from ray.util import ActorPool

        pool: Any = ActorPool(workers)
        vectors, failed = list[Any](), dict[int, str]()
        for text in texts:
            pool.submit(lambda worker, text: worker.embed.remote(text), text)
        while pool.has_next():
            try:
                vectors.append(pool.get_next())
            except RayTaskError as error:
                failed[len(vectors)] = str(error.cause)
                vectors.append(None)
        return vectors, failed

    return embed_all


@wrong("Every worker gets its share of the texts beforehand.", slip="not-shared")
def dealt_out() -> object:
    def embed_all(workers: list[Any], texts: list[str]) -> Any:
        import ray

        turns = [workers[place % len(workers)] for place in range(len(texts))]
        references = [worker.embed.remote(text) for worker, text in zip(turns, texts, strict=True)]
        vectors, failed = list[Any](), dict[int, str]()
        for place, reference in enumerate(references):
            try:
                vectors.append(ray.get(reference))
            except Exception as error:
                vectors.append(None)
                failed[place] = str(error)
        return vectors, failed

    return embed_all


@wrong("Waits until all workers are ready before it goes on.", slip="not-shared")
def in_rounds() -> object:
    class Loop(Base):
        def run(self) -> Any:
            while self.running or (self.todo and self.free):
                while self.todo and self.free:
                    place, worker = self.todo.popleft(), self.free.popleft()
                    self.running[worker.embed.remote(self.texts[place])] = place, worker
                for reference in [*self.running]:
                    self.finish(reference)
            return self.result()

    return loop(Loop)


@wrong("Everything on the first worker.", slip="not-shared")
def one_worker() -> object:
    return lambda workers, texts: Base(workers[:1], texts).run()


@wrong("Does not expect that a worker dies.", slip="stops-at-death")
def deaths_unexpected() -> object:
    class Loop(Base):
        def died(self, place: int, worker: Any) -> None:
            raise RuntimeError("a worker died")

    return loop(Loop)


@wrong("Reports a text at the first death.", slip="reported-at-once")
def reports_at_once() -> object:
    class Loop(Base):
        deaths_allowed = 0

    return loop(Loop)


@wrong("Gives a dead worker the next texts.", slip="dead-one-asked")
def asks_the_dead() -> object:
    class Loop(Base):
        def died(self, place: int, worker: Any) -> None:
            super().died(place, worker)
            self.free.appendleft(worker)

    return loop(Loop)


@wrong("Gives a dead worker the next texts, after those that are alive.")
def asks_the_dead_last() -> object:
    class Loop(Base):
        def died(self, place: int, worker: Any) -> None:
            super().died(place, worker)
            self.free.append(worker)

    return loop(Loop)


@wrong("Forgets the text of the worker that died.", slip="lost-text")
def forgets_the_text() -> object:
    class Loop(Base):
        def died(self, place: int, worker: Any) -> None:
            pass

    return loop(Loop)


@wrong("A text may kill ten workers.", slip="kills-all")
def kills_all() -> object:
    class Loop(Base):
        deaths_allowed = 9

    return loop(Loop)


@wrong("A text may kill three workers.", slip="kills-all")
def three_deaths() -> object:
    class Loop(Base):
        deaths_allowed = 2

    return loop(Loop)


@wrong("Counts all deaths together.")
def deaths_together() -> object:
    class Loop(Base):
        def died(self, place: int, worker: Any) -> None:
            for one in range(len(self.texts)):
                self.deaths[one] += 1
            if self.deaths[place] > 0:
                self.failed[place] = "it kills workers"

    return loop(Loop)


@wrong("The second text on which any worker dies has failed.", slip="deaths-together")
def deaths_of_all_texts() -> object:
    class Loop(Base):
        def died(self, place: int, worker: Any) -> None:
            self.deaths[0] += 1
            if self.deaths[0] > 1:
                self.failed[place] = "two workers died"
            else:
                self.todo.append(place)

    return loop(Loop)


@wrong("A poisoned text that comes twice is reported at one place.", slip="one-place")
def place_by_index() -> object:
    class Loop(Base):
        def poisoned(self, place: int, error: Any) -> None:
            super().poisoned(self.texts.index(self.texts[place]), error)

    return loop(Loop)


@wrong("Asks a dead worker whether it is there.", slip="dead-one-called")
def asks_whether_it_is_there() -> object:
    class Loop(Base):
        def died(self, place: int, worker: Any) -> None:
            import ray

            super().died(place, worker)
            try:
                ray.get(worker.embed.options(num_returns=1).remote("are you there?"))
            except ray.exceptions.RayError:
                return
            self.free.append(worker)

    return loop(Loop)


@wrong("Takes a dead worker out of the list that it is given.", slip="changed")
def takes_the_dead_out() -> object:
    def embed_all(workers: list[Any], texts: list[str]) -> Any:
        class Loop(Base):
            def died(self, place: int, worker: Any) -> None:
                super().died(place, worker)
                workers.remove(worker)

        return Loop(workers, texts).run()

    return embed_all


@wrong("Ends the workers when all is done.", slip="killed")
def kills_workers() -> object:
    def embed_all(workers: list[Any], texts: list[str]) -> Any:
        import ray

        result = Base(workers, texts).run()
        for worker in workers:
            ray.kill(worker)
        return result

    return embed_all


@wrong("Each worker has two texts at a time.", slip="two-at-once")
def two_texts_at_a_time() -> object:
    class Loop(Base):
        def __init__(self, workers: list[Any], texts: list[str]) -> None:
            super().__init__([*workers, *workers], texts)

    return loop(Loop)


@wrong("What is left when nobody is left is not in failed.", slip="not-reported")
def not_reported() -> object:
    class Loop(Base):
        def result(self) -> Any:
            return self.vectors, self.failed

    return loop(Loop)


@wrong("Raises when all workers are dead.")
def raises_at_the_end() -> object:
    class Loop(Base):
        def result(self) -> Any:
            if self.todo:
                raise RuntimeError("no worker is left")
            return super().result()

    return loop(Loop)


@right("As it should be, in steps.")
def in_steps() -> object:
    return loop(Base)


@right("One thread for each worker, and a shared queue.")
def threads() -> object:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Condition

    def embed_all(workers: list[Any], texts: list[str]) -> Answer:
        import ray

        vectors: list[Any] = [None] * len(texts)
        failed: dict[int, str] = {}
        todo, deaths, busy = deque(range(len(texts))), Counter[int](), set[Any]()
        changed = Condition()

        def work(worker: Any) -> None:
            while True:
                with changed:
                    changed.wait_for(lambda: todo or not busy)
                    if not todo:
                        return
                    place = todo.popleft()
                    busy.add(worker)
                dead = False
                try:
                    vectors[place] = ray.get(worker.embed.remote(texts[place]))
                except ray.exceptions.ActorDiedError:
                    dead = True
                except Exception as error:
                    failed[place] = f"{error}"
                with changed:
                    busy.discard(worker)
                    if dead:
                        deaths[place] += 1
                        if deaths[place] < 2:
                            todo.append(place)
                        else:
                            failed[place] = "two deaths"
                    changed.notify_all()
                if dead:
                    return

        with ThreadPoolExecutor(len(workers)) as pool:
            list(pool.map(work, workers))
        return vectors, failed | dict.fromkeys(todo, "all dead")

    return embed_all


@right("asyncio: one task for each worker.")
def with_asyncio() -> object:
    import asyncio

    async def embed(workers: list[Any], texts: list[str]) -> Answer:
        import ray

        vectors: dict[int, Any] = dict.fromkeys(range(len(texts)))
        failed: dict[int, str] = {}
        todo: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        for place in vectors:
            todo.put_nowait((place, 0))

        async def work(worker: Any) -> None:
            while True:
                place, deaths = await todo.get()
                try:
                    vectors[place] = await worker.embed.remote(texts[place])
                except ray.exceptions.ActorDiedError:
                    if deaths:
                        failed[place] = "died twice"
                    else:
                        todo.put_nowait((place, deaths + 1))
                    todo.task_done()
                    return
                except ray.exceptions.RayTaskError as error:
                    failed[place] = str(error)
                todo.task_done()

        tasks = [asyncio.create_task(work(worker)) for worker in workers]
        joined = asyncio.create_task(todo.join())
        everyone: asyncio.Future[Any] = asyncio.gather(*tasks)
        waited: list[asyncio.Future[Any]] = [joined, everyone]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        joined.cancel()
        for task in tasks:
            task.cancel()
        while not todo.empty():
            failed[todo.get_nowait()[0]] = "no worker is left"
        return list(vectors.values()), failed

    def embed_all(workers: list[Any], texts: list[str]) -> Answer:
        return asyncio.run(embed(workers, texts))

    return embed_all


@right("Catches RayActorError, the wider one, and gives a suspect text the lead.")
def wider_error() -> object:
    class Loop(Base):
        def finish(self, reference: Any) -> None:
            import ray

            place, worker = self.running.pop(reference)
            try:
                self.vectors[place] = list(ray.get(reference))
                self.free.appendleft(worker)
            except ray.exceptions.RayActorError:
                self.died(place, worker)
            except Exception as error:
                self.failed[place] = f"embed: {error}"
                self.free.append(worker)

        def died(self, place: int, worker: Any) -> None:
            self.deaths[place] += 1
            if self.deaths[place] == 2:
                self.failed[place] = "suspect"
            else:
                self.todo.appendleft(place)

        def result(self) -> Any:
            super().result()
            return [self.vectors, dict(sorted(self.failed.items()))]

    return loop(Loop)


@right("Takes the newest text first, waits for a short time, and looks with a timeout.")
def newest_first() -> object:
    class Loop(Base):
        def __init__(self, workers: list[Any], texts: list[str]) -> None:
            super().__init__(workers, texts)
            self.todo.reverse()

        def ready(self) -> Any:
            import ray

            while not (done := ray.wait([*self.running], timeout=0.2)[0]):
                pass
            return done[0]

    return loop(Loop)
