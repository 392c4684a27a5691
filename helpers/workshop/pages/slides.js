"use strict";
// Without this script every slide is on the page, one below the other, with its output.
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const place = document.getElementById("place");
  const bar = document.getElementById("bar");
  const last = slides.length - 1;
  let now = 0;
  let overview = false;
  let presenter = null; // the window with the notes

  const clamp = (n) => Math.min(last, Math.max(0, n));
  const show = (n, focus = true) => {
    now = clamp(n);
    slides.forEach((slide, i) => slide.toggleAttribute("data-now", i === now));
    place.textContent = `${now + 1} of ${slides.length}`;
    bar.value = now + 1;
    history.replaceState(null, "", `#${now + 1}`);
    if (focus) slides[now].focus({ preventScroll: !overview });
    if (!overview) slides[now].scrollTop = 0;
    tell();
  };
  // A slide with an output has two states: people guess before they see it.
  const hides = () => slides[now].querySelector(".answer") && !overview;
  const setShown = (on) => {
    slides[now].toggleAttribute("data-shown", on);
    tell();
  };
  const next = () => {
    if (hides() && !slides[now].hasAttribute("data-shown")) setShown(true);
    else show(now + 1);
  };
  const previous = () => {
    if (hides() && slides[now].hasAttribute("data-shown")) setShown(false);
    else show(now - 1);
  };
  const setOverview = (on) => {
    overview = on;
    document.body.classList.toggle("overview", on);
    buttons.overview.setAttribute("aria-pressed", String(on));
    show(now);
    if (on) slides[now].scrollIntoView({ block: "center" });
    else window.scrollTo(0, 0);
  };
  const setNotes = (on) => {
    document.body.classList.toggle("notes", on);
    buttons.notes.setAttribute("aria-pressed", String(on));
  };
  const element = (name, text) => {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  };
  // What the presenter reads next, on the button and in the window of the notes.
  const tell = () => {
    const slide = slides[now];
    const hidden = hides() && !slide.hasAttribute("data-shown");
    buttons.next.textContent = hidden ? "Show output" : "Next";
    if (!presenter || presenter.closed) return;
    const title = (one) => one.querySelector("h1, h2").textContent;
    const note = slide.querySelector(".note");
    const parts = [
      element("p", place.textContent + (hidden ? ", output hidden" : "")),
      element("h1", title(slide)),
      note ? note.cloneNode(true) : element("p", "No note."),
    ];
    if (slide.dataset.then) parts.push(element("p", `From here on: ${slide.dataset.then}`));
    parts.push(element("p", now < last ? `Next: ${title(slides[now + 1])}` : "This is the last slide."));
    presenter.document.body.replaceChildren(...parts);
  };
  const openPresenter = () => {
    presenter = window.open("", "course-notes", "popup,width=720,height=640");
    if (!presenter) {
      place.textContent = "The browser blocked the window: allow pop-ups for this page, then press p.";
      return;
    }
    const other = presenter.document;
    other.title = `Notes: ${document.title}`;
    other.head.replaceChildren(document.querySelector("style").cloneNode(true));
    other.body.className = "presenter";
    other.addEventListener("keydown", onKey); // the arrows work in both windows
    tell();
  };
  window.addEventListener("pagehide", () => presenter?.close());
  const toggleNotes = () => setNotes(!document.body.classList.contains("notes"));

  const buttons = Object.fromEntries(
    [...document.querySelectorAll("button[data-do]")].map((b) => [b.dataset.do, b])
  );
  const acts = {
    previous, next,
    overview: () => setOverview(!overview),
    notes: toggleNotes,
    presenter: openPresenter,
  };
  Object.entries(buttons).forEach(([name, b]) => b.addEventListener("click", acts[name]));
  slides.forEach((slide, i) =>
    slide.addEventListener("click", () => {
      if (!overview) return;
      now = i;
      setOverview(false);
    })
  );

  const keys = {
    ArrowRight: acts.next, PageDown: acts.next, " ": acts.next,
    ArrowLeft: acts.previous, PageUp: acts.previous,
    Home: () => show(0), End: () => show(last),
    Escape: acts.overview,
    n: toggleNotes, N: toggleNotes, p: openPresenter, P: openPresenter,
  };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.closest("button")) return; // it presses the button
    if (overview && event.key === "Enter" && event.target.closest(".slide")) {
      event.preventDefault();
      setOverview(false);
      return;
    }
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  document.addEventListener("keydown", onKey);
  const asked = () => Number.parseInt(location.hash.slice(1), 10) - 1 || 0;
  window.addEventListener("hashchange", () => show(asked()));
  document.body.classList.add("deck");
  show(asked(), false);
})();
