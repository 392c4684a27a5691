"""Answers to exercise 09.6: pipelines that cost too much, answer otherwise, or hide their calls."""

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, convert_to_messages
from langsmith import traceable, tracing_context

from helpers.agent import Retriever
from helpers.authoring.answers import right, wrong
from helpers.tracing.testing import lab_client

Answer = Callable[[str], str]


class Parts:
    """A right pipeline in parts, of which a faulty one replaces some."""

    def __init__(self, index: Retriever, llm: BaseChatModel, near_enough: float) -> None:
        self.index, self.llm, self.near_enough = index, llm, near_enough
        self.replies: dict[Any, str] = self.memory()

    def memory(self) -> dict[Any, str]:
        return {}

    def __call__(self, question: str) -> str:
        key = self.key(question)
        if key not in self.replies:
            self.replies[key] = self.answer(question)
        return self.replies[key]

    def key(self, question: str) -> Any:
        return question

    def answer(self, question: str) -> str:
        return self.said(self.messages(question, self.passage(question).excerpt))

    def passage(self, question: str) -> Any:
        (passage,) = self.index.search(question, k=1)
        if self.is_far(passage):
            (passage,) = self.index.search(self.other_words(question), k=1)
        return passage

    def is_far(self, passage: Any) -> bool:
        return bool(passage.score < self.near_enough)

    def other_words(self, question: str) -> str:
        return self.said(f"Say this in other words: {question}")

    def said(self, prompt: Any) -> str:
        return str(self.llm.invoke(prompt).text)

    def messages(self, question: str, excerpt: str) -> Any:
        return [
            ("system", "You answer questions by repeating the text."),
            ("user", "How big is the flask?\n\nBottles: The flask holds 1.5 litres."),
            ("assistant", "Bottles: The flask holds 1.5 litres."),
            ("user", f"{question}\n\n{excerpt}"),
        ]


class Expensive(Parts):
    """The given pipeline."""

    def __call__(self, question: str) -> str:
        other_words = self.other_words(question)
        (passage,) = self.index.search(question, k=1)
        if passage.score < self.near_enough:
            (passage,) = self.index.search(other_words, k=1)
        reply = self.said(self.messages(question, passage.excerpt))
        self.said(f"{passage.text}\n\nIs this polite? {reply}")
        return reply


@wrong("It returns nothing.", slip="no-pipeline")
def nothing() -> object:
    return lambda index, llm, near_enough: None


@wrong("No answer costs nothing.", slip="no-call")
def no_answer() -> object:
    return lambda index, llm, near_enough: lambda question: ""


@wrong("The sentence itself is not what the model says.", slip="no-call")
def the_sentence() -> object:
    class Wrong(Parts):
        def answer(self, question: str) -> str:
            return str(self.passage(question).excerpt)

        def other_words(self, question: str) -> str:
            return question

    return Wrong


@wrong("The pipeline as it was.")
def as_it_was() -> object:
    return Expensive


@wrong("Tracing off.", slip="untraced")
def tracing_off() -> object:
    class Wrong(Parts):
        def said(self, prompt: Any) -> str:
            with tracing_context(enabled=False):
                return super().said(prompt)

    return Wrong


@wrong("Tracing off for the other words only.")
def partly_off() -> object:
    class Wrong(Parts):
        def other_words(self, question: str) -> str:
            with tracing_context(enabled=False):
                return super().other_words(question)

    return Wrong


@wrong("Traces go to another project.", slip="untraced")
def another_project() -> object:
    class Wrong(Parts):
        def said(self, prompt: Any) -> str:
            where: dict[str, Any] = {"client": lab_client(), "project_name": "elsewhere"}
            with tracing_context(enabled=True, parent=False, **where):
                return super().said(prompt)

    return Wrong


@wrong("The model's private method, which no tracer sees.", slip="untraced")
def private_method() -> object:
    class Wrong(Parts):
        def said(self, prompt: Any) -> str:
            messages = convert_to_messages(
                [("user", prompt)] if isinstance(prompt, str) else prompt
            )
            return str(self.llm._generate(messages).generations[0].message.text)

    return Wrong


@wrong("A thread, which has no trace.", slip="untraced")
def in_a_thread() -> object:
    class Wrong(Parts):
        def said(self, prompt: Any) -> str:
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(super().said, prompt).result()

    return Wrong


@wrong("A copy of the model, with tracing off.", slip="untraced")
def a_copy() -> object:
    class Wrong(Parts):
        def said(self, prompt: Any) -> str:
            with tracing_context(enabled=False):
                return str(self.llm.model_copy().invoke(prompt).text)

    return Wrong


@wrong("Runs with few tokens are traced by hand, and the real ones are not.", slip="untraced")
def made_up_runs() -> object:
    class Wrong(Parts):
        def said(self, prompt: Any) -> str:
            @traceable(run_type="llm", metadata={"ls_model_name": "local"})
            def cheap() -> dict[str, Any]:
                with tracing_context(enabled=False):
                    text = Parts.said(self, prompt)
                usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
                return {"text": text, "usage_metadata": usage}

            return str(cheap()["text"])

    return Wrong


@wrong("Right runs under the name of a model that has no price.", slip="untraced")
def without_a_price() -> object:
    class Wrong(Parts):
        def said(self, prompt: Any) -> str:
            copy = self.llm.model_copy(update={"model_name": "house-7b"})
            return str(copy.invoke(prompt).text)

    return Wrong


@wrong("Another model, without a trace.", slip="no-call")
def another_model() -> object:
    from langchain_core.language_models import FakeListChatModel

    class Wrong(Parts):
        def said(self, prompt: Any) -> str:
            with tracing_context(enabled=False):
                return str(FakeListChatModel(responses=["28 days."]).invoke(prompt).text)

    return Wrong


@wrong("Answers of the shops of another check, learnt by heart.", slip="no-call")
def by_heart() -> object:
    from helpers.course.exercises.m09 import priced

    known = {shop.near_enough: shop for shop in priced.shops()}

    def make_pipeline(index: Retriever, llm: BaseChatModel, near_enough: float) -> Answer:
        return lambda question: known[near_enough]._said(
            [HumanMessage(f"{question}\n\n{index.search(question, k=1)[0].excerpt}")]
        )

    return make_pipeline


@wrong("The review is gone, but nothing remembers repeated questions.")
def nothing_remembered() -> object:
    class Wrong(Parts):
        def __call__(self, question: str) -> str:
            return self.answer(question)

    return Wrong


@wrong("Other words each time, and a memory.")
def always_other_words() -> object:
    class Wrong(Parts):
        def passage(self, question: str) -> Any:
            other_words = self.other_words(question)
            (passage,) = self.index.search(question, k=1)
            if self.is_far(passage):
                (passage,) = self.index.search(other_words, k=1)
            return passage

    return Wrong


@wrong("The review stays, and all else is saved.")
def with_reviews() -> object:
    class Wrong(Parts):
        def answer(self, question: str) -> str:
            passage = self.passage(question)
            reply = self.said(self.messages(question, passage.excerpt))
            self.said(f"{passage.text}\n\nIs this polite? {reply}")
            return reply

    return Wrong


@wrong("The memory is the only thing that is new.")
def memory_alone() -> object:
    class Wrong(Expensive):
        def __call__(self, question: str) -> str:
            if question not in self.replies:
                self.replies[question] = super().__call__(question)
            return self.replies[question]

    return Wrong


@wrong("Never other words.")
def never_other_words() -> object:
    class Wrong(Parts):
        def is_far(self, passage: Any) -> bool:
            return False

    return Wrong


@wrong("A passage at the boundary is taken for one that is not near enough.")
def at_the_boundary() -> object:
    class Wrong(Parts):
        def is_far(self, passage: Any) -> bool:
            return bool(passage.score <= self.near_enough)

    return Wrong


@wrong("A limit of its own.")
def own_limit() -> object:
    class Wrong(Parts):
        def is_far(self, passage: Any) -> bool:
            return bool(passage.score < 0.78)

    return Wrong


@wrong("The search is left with the question's own words, made by hand.")
def own_other_words() -> object:
    class Wrong(Parts):
        def other_words(self, question: str) -> str:
            return f"In other words: {question}"

    return Wrong


@wrong("Capitals do not count in the memory.")
def without_capitals() -> object:
    class Wrong(Parts):
        def key(self, question: str) -> Any:
            return question.casefold()

    return Wrong


@wrong("Spaces do not count in the memory.")
def without_spaces() -> object:
    class Wrong(Parts):
        def key(self, question: str) -> Any:
            return " ".join(question.split())

    return Wrong


@wrong("One memory for all pipelines.")
def one_memory() -> object:
    replies: dict[Any, str] = {}

    class Wrong(Parts):
        def memory(self) -> dict[Any, str]:
            return replies

    return Wrong


@wrong("The last reply alone is remembered.")
def last_reply() -> object:
    class Wrong(Parts):
        def __call__(self, question: str) -> str:
            self.replies = {key: text for key, text in self.replies.items() if key == question}
            return super().__call__(question)

    return Wrong


@wrong("A shorter prompt.")
def shorter_prompt() -> object:
    class Wrong(Parts):
        def messages(self, question: str, excerpt: str) -> Any:
            return [super().messages(question, excerpt)[0], ("user", f"{question}\n\n{excerpt}")]

    return Wrong


@wrong("The question is tidied before it is asked.")
def tidied_prompt() -> object:
    class Wrong(Parts):
        def messages(self, question: str, excerpt: str) -> Any:
            return super().messages(" ".join(question.split()).capitalize(), excerpt)

    return Wrong


@wrong("Async, where a plain function is asked for.")
def async_answer() -> object:
    def make_pipeline(index: Retriever, llm: BaseChatModel, near_enough: float) -> Any:
        parts = Parts(index, llm, near_enough)

        async def answer(question: str) -> str:
            return await asyncio.to_thread(parts, question)

        return answer

    return make_pipeline


@wrong("A memory by passage, which several questions share.")
def memory_of_passages() -> object:
    class Wrong(Parts):
        def __call__(self, question: str) -> str:
            return self.answer(question)

        def answer(self, question: str) -> str:
            found = self.passage(question).excerpt
            if found not in self.replies:
                self.replies[found] = self.said(self.messages(question, found))
            return self.replies[found]

    return Wrong


@wrong("The better one of the two passages.")
def better_passage() -> object:
    class Wrong(Parts):
        def passage(self, question: str) -> Any:
            (first,) = self.index.search(question, k=1)
            if not self.is_far(first):
                return first
            (second,) = self.index.search(self.other_words(question), k=1)
            return max(first, second, key=lambda one: one.score)

    return Wrong


@wrong("The second passage only if that one is near enough.")
def near_second() -> object:
    class Wrong(Parts):
        def passage(self, question: str) -> Any:
            (first,) = self.index.search(question, k=1)
            if not self.is_far(first):
                return first
            (second,) = self.index.search(self.other_words(question), k=1)
            return first if self.is_far(second) else second

    return Wrong


@wrong("The last one of five passages.")
def last_passage() -> object:
    class Wrong(Parts):
        def passage(self, question: str) -> Any:
            passage = self.index.search(question, k=5)[-1]
            if self.is_far(self.index.search(question, k=1)[0]):
                (passage,) = self.index.search(self.other_words(question), k=1)
            return passage

    return Wrong


def with_key(key: Callable[[str], str]) -> object:
    class Wrong(Parts):
        def key(self, question: str) -> Any:
            return key(question)

    return Wrong


@wrong("Spaces at the ends do not count in the memory.")
def without_ends() -> object:
    return with_key(str.strip)


@wrong("A question mark does not count in the memory.")
def without_marks() -> object:
    return with_key(lambda question: question.rstrip(".!? "))


@wrong("The beginning of a question is all that counts in the memory.")
def by_the_beginning() -> object:
    return with_key(lambda question: question[:40])


@wrong("The question loses its spaces at the ends in the prompt.")
def stripped_prompt() -> object:
    class Wrong(Parts):
        def messages(self, question: str, excerpt: str) -> Any:
            return super().messages(question.strip(), excerpt)

    return Wrong


@wrong("The passage loses its line break in the prompt.")
def stripped_excerpt() -> object:
    class Wrong(Parts):
        def messages(self, question: str, excerpt: str) -> Any:
            return super().messages(question, excerpt.strip())

    return Wrong


def with_other_words(change: Callable[[str], str]) -> object:
    class Wrong(Parts):
        def other_words(self, question: str) -> str:
            return change(super().other_words(question))

    return Wrong


@wrong("The other words without spaces at the ends.")
def stripped_words() -> object:
    return with_other_words(str.strip)


@wrong("The other words in small letters.")
def small_words() -> object:
    return with_other_words(str.lower)


@wrong("The first line of the other words.")
def first_line() -> object:
    return with_other_words(lambda text: text.splitlines()[0])


def with_answer(change: Callable[[str], str]) -> object:
    class Wrong(Parts):
        def answer(self, question: str) -> str:
            return change(super().answer(question))

    return Wrong


@wrong("The answer without spaces at the ends.")
def stripped_answer() -> object:
    return with_answer(str.strip)


@wrong("The first sentence of the answer.")
def first_sentence() -> object:
    return with_answer(lambda text: text.split(". ")[0])


@wrong("The first 200 characters of the answer.")
def cut_answer() -> object:
    return with_answer(lambda text: text[:200])


def with_memory(size: int) -> object:
    def make_pipeline(index: Retriever, llm: BaseChatModel, near_enough: float) -> Answer:
        return functools.lru_cache(size)(Parts(index, llm, near_enough).answer)

    return make_pipeline


@wrong("A memory of eight answers.")
def eight_answers() -> object:
    return with_memory(8)


@wrong("A memory of sixteen answers.")
def sixteen_answers() -> object:
    return with_memory(16)


@wrong("At most ten tokens.")
def ten_tokens() -> object:
    class Wrong(Parts):
        def answer(self, question: str) -> str:
            excerpt = self.passage(question).excerpt
            short = self.llm.bind(max_tokens=10)
            return str(short.invoke(self.messages(question, excerpt)).text)

    return Wrong


@wrong("The model stops at the end of a line.")
def one_line() -> object:
    class Wrong(Parts):
        def said(self, prompt: Any) -> str:
            return str(self.llm.invoke(prompt, stop=["\n"]).text)

    return Wrong


@wrong("A passage just below the limit is taken for one that is near enough.")
def just_below() -> object:
    class Wrong(Parts):
        def is_far(self, passage: Any) -> bool:
            return bool(passage.score < self.near_enough - 1e-9)

    return Wrong


@wrong("No limit above 0.9, and scores may be above 1.")
def lower_limit() -> object:
    class Wrong(Parts):
        def is_far(self, passage: Any) -> bool:
            return bool(passage.score < min(self.near_enough, 0.9))

    return Wrong


@wrong("A score of 0 is taken for none.")
def no_score() -> object:
    class Wrong(Parts):
        def is_far(self, passage: Any) -> bool:
            return bool(passage.score) and super().is_far(passage)

    return Wrong


@wrong("An error of the model becomes an empty answer.")
def swallowed() -> object:
    class Wrong(Parts):
        def __call__(self, question: str) -> str:
            try:
                return super().__call__(question)
            except Exception:
                return ""

    return Wrong


@wrong("An error of the model is remembered.")
def remembered_error() -> object:
    class Wrong(Parts):
        def __call__(self, question: str) -> str:
            failed = self.__dict__.setdefault("failed", {})
            if question in failed:
                raise failed[question]
            try:
                return super().__call__(question)
            except Exception as error:
                failed[question] = error
                raise

    return Wrong


@wrong("LangChain's cache, in which all models are one.")
def cache_of_langchain() -> object:
    from langchain_core.caches import InMemoryCache
    from langchain_core.globals import set_llm_cache

    class Wrong(Parts):
        def __init__(self, index: Retriever, llm: BaseChatModel, near_enough: float) -> None:
            super().__init__(index, llm, near_enough)
            set_llm_cache(InMemoryCache())

        def __call__(self, question: str) -> str:
            return self.answer(question)

    return Wrong


@right(
    "It looks at several passages, tries a second time after an error, and remembers 128 answers."
)
def second_try() -> object:
    class Right(Parts):
        def passage(self, question: str) -> Any:
            passage = self.index.search(question)[0]
            if passage.score < self.near_enough:
                passage = self.index.search(self.other_words(question), k=5)[0]
            return passage

        def said(self, prompt: Any) -> str:
            return str(
                self.llm.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
                .invoke(prompt)
                .text
            )

    def make_pipeline(index: Retriever, llm: BaseChatModel, near_enough: float) -> Answer:
        return functools.lru_cache(Right(index, llm, near_enough).answer)

    return make_pipeline


@right("In parts, as an object that can be called.")
def in_parts() -> object:
    return Parts


@right("functools.cache on the answer, and messages as objects.")
def with_cache() -> object:
    def make_pipeline(index: Retriever, llm: BaseChatModel, near_enough: float) -> Answer:
        @functools.cache
        def answer(question: str) -> str:
            passage = index.search(question, 1)[0]
            if not passage.score >= near_enough:
                words = llm.invoke([HumanMessage(f"Say this in other words: {question}")])
                passage = index.search(str(words.content), 1)[0]
            reply = llm.invoke(
                [
                    SystemMessage("You answer questions by repeating the text."),
                    HumanMessage("How big is the flask?\n\nBottles: The flask holds 1.5 litres."),
                    AIMessage("Bottles: The flask holds 1.5 litres."),
                    HumanMessage(f"{question}\n\n{passage.excerpt}"),
                ]
            )
            return str(reply.content)

        return answer

    return make_pipeline


@right("A memory of prompts, behind the model, and steps that are traced themselves.")
def memory_of_prompts() -> object:
    class Right(Parts):
        def __call__(self, question: str) -> str:
            return str(traceable(name="answer")(self.answer)(question))

        def said(self, prompt: Any) -> str:
            key = str(prompt)
            if key not in self.replies:
                self.replies[key] = super().said(prompt)
            return self.replies[key]

    return Right


@right("By streaming, with a lock.")
def by_streaming() -> object:
    class Right(Parts):
        lock = threading.Lock()

        def __call__(self, question: str) -> str:
            with self.lock:
                return super().__call__(question)

        def said(self, prompt: Any) -> str:
            return "".join(str(chunk.text) for chunk in self.llm.stream(prompt))

    return Right


@right("A batch of one, and a chain of LangChain.")
def with_a_chain() -> object:
    from langchain_core.output_parsers import StrOutputParser

    class Right(Parts):
        def said(self, prompt: Any) -> str:
            return str((self.llm | StrOutputParser()).batch([prompt])[0])

    return Right
