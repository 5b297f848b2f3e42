// Filters, pages and folds the changed answers. Without it every one of them is shown, unfolded.
(() => {
  "use strict";
  const PER_PAGE = 20;
  const SHOWN_UNFOLDED = 2;
  const form = document.getElementById("filters");
  const flips = [...document.querySelectorAll("details.flip")];
  const [count, none, fold, pager, place, previous, next] =
    ["count", "none", "fold", "pager", "page", "previous", "next"].map((id) => document.getElementById(id));
  let page = 0;

  const fits = (flip, wanted) =>
    (!wanted.direction || flip.dataset.direction === wanted.direction) &&
    (!wanted.kind || flip.dataset.kind === wanted.kind) &&
    (!wanted.tag || flip.dataset.tags.split(" ").includes(wanted.tag));

  const fitting = () => {
    const wanted = Object.fromEntries(new FormData(form));
    return flips.filter((flip) => fits(flip, wanted));
  };

  function show(chosen = fitting()) {
    const pages = Math.max(1, Math.ceil(chosen.length / PER_PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const shown = new Set(chosen.slice(page * PER_PAGE, (page + 1) * PER_PAGE));
    for (const flip of flips) flip.hidden = !shown.has(flip);
    none.hidden = chosen.length > 0;
    count.textContent = `${chosen.length} of ${flips.length} fit`;
    pager.hidden = pages === 1;
    place.textContent = `Page ${page + 1} of ${pages}`;
    previous.disabled = page === 0;
    next.disabled = page === pages - 1;
  }

  function filter() {
    page = 0;
    show();
  }

  function turn(by) {
    page += by;
    show();
    document.getElementById("flips").scrollIntoView();
  }

  function setFolded(folded) {
    flips.forEach((flip, index) => {
      flip.open = !folded || index < SHOWN_UNFOLDED;
    });
    fold.textContent = folded ? "Unfold all" : "Fold all";
    fold.dataset.folded = String(folded);
  }

  // A link to an answer shows it, whatever is filtered and on whichever page it is.
  function showTarget() {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !target.matches("details.flip")) return;
    let chosen = fitting();
    if (!chosen.includes(target)) {
      for (const select of form.querySelectorAll("select")) select.value = "";
      chosen = flips;
    }
    page = Math.floor(chosen.indexOf(target) / PER_PAGE);
    show(chosen);
    target.open = true;
    target.scrollIntoView();
  }

  form.hidden = false;
  form.addEventListener("change", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  fold.addEventListener("click", () => setFolded(fold.dataset.folded !== "true"));
  previous.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));
  window.addEventListener("hashchange", showTarget);
  setFolded(true);
  filter();
  showTarget();
})();
