"use strict";
// Without this script every slide is on the page, one below the other.
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const place = document.getElementById("place");
  const bar = document.getElementById("bar");
  const last = slides.length - 1;
  let now = 0;
  let overview = false;

  const clamp = (n) => Math.min(last, Math.max(0, n));
  const show = (n, focus = true) => {
    now = clamp(n);
    slides.forEach((slide, i) => slide.toggleAttribute("data-now", i === now));
    place.textContent = `${now + 1} of ${slides.length}`;
    bar.value = now + 1;
    history.replaceState(null, "", `#${now + 1}`);
    if (focus) slides[now].focus({ preventScroll: !overview });
    if (!overview) slides[now].scrollTop = 0;
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
  const toggleNotes = () => setNotes(!document.body.classList.contains("notes"));

  const buttons = Object.fromEntries(
    [...document.querySelectorAll("button[data-do]")].map((b) => [b.dataset.do, b])
  );
  const acts = {
    previous: () => show(now - 1),
    next: () => show(now + 1),
    overview: () => setOverview(!overview),
    notes: toggleNotes,
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
    ArrowRight: acts.next, PageDown: acts.next,
    ArrowLeft: acts.previous, PageUp: acts.previous,
    Home: () => show(0), End: () => show(last),
    Escape: acts.overview,
    n: toggleNotes, N: toggleNotes,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (overview && event.key === "Enter" && event.target.closest(".slide")) {
      event.preventDefault();
      setOverview(false);
      return;
    }
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  const asked = () => Number.parseInt(location.hash.slice(1), 10) - 1 || 0;
  window.addEventListener("hashchange", () => show(asked()));
  document.body.classList.add("deck");
  show(asked(), false);
})();
