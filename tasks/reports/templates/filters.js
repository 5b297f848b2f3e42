// Folds and filters the changed answers. Without it every one of them is shown, unfolded.
(() => {
  "use strict";
  const SHOWN_PER_CELL = 2;
  const form = document.getElementById("filters");
  if (!form) return;
  const flips = [...document.querySelectorAll("details.flip")];
  const groups = [...document.querySelectorAll("section.group")];
  const count = document.getElementById("count");
  const none = document.getElementById("none");
  const fold = document.getElementById("fold");

  const fits = (flip, wanted) =>
    (!wanted.direction || flip.dataset.direction === wanted.direction) &&
    (!wanted.cell || flip.parentElement.id === wanted.cell) &&
    (!wanted.kind || flip.dataset.kind === wanted.kind) &&
    (!wanted.tag || flip.dataset.tags.split(" ").includes(wanted.tag));

  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    let shown = 0;
    for (const flip of flips) {
      flip.hidden = !fits(flip, wanted);
      shown += flip.hidden ? 0 : 1;
    }
    for (const group of groups) {
      group.hidden = Boolean(wanted.cell && group.id !== wanted.cell) ||
        (group.querySelector("details.flip") !== null && group.querySelector("details.flip:not([hidden])") === null);
    }
    none.hidden = shown > 0;
    count.textContent = `${shown} of ${flips.length} shown`;
  }

  function setFolded(folded) {
    for (const group of groups) {
      group.querySelectorAll("details.flip").forEach((flip, place) => {
        flip.open = !folded || place < SHOWN_PER_CELL;
      });
    }
    fold.textContent = folded ? "Unfold all" : "Fold all";
    fold.dataset.folded = String(folded);
  }

  // A link to a flip or cell that a filter hides shows it nevertheless.
  function showTarget() {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.hidden || target.closest("[hidden]")) form.reset();
    if (target.matches("details.flip")) target.open = true;
    target.scrollIntoView();
  }

  form.hidden = false;
  form.addEventListener("change", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  fold.addEventListener("click", () => setFolded(fold.dataset.folded !== "true"));
  window.addEventListener("hashchange", showTarget);
  setFolded(true);
  filter();
  showTarget();
})();
