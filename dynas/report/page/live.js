"use strict";
// Loads a served page again once its runs have gone on, and keeps what its reader has chosen.
(() => {
  const POLL = 2000, state = document.getElementById("live"), known = state.dataset.version;
  const kept = JSON.parse(sessionStorage.getItem("kept") ?? "{}"), remember = () => {
    const off = [...document.querySelectorAll('#legend button[aria-pressed="false"]')].map((one) => one.textContent);
    const open = [...document.querySelectorAll("details[open] > summary")].map((one) => one.textContent);
    sessionStorage.setItem("kept", JSON.stringify({ off, open, scroll: scrollY }));
  };
  for (const button of document.querySelectorAll("#legend button")) if (kept.off?.includes(button.textContent)) button.click();
  for (const one of document.querySelectorAll("details > summary")) if (kept.open?.includes(one.textContent)) one.parentElement.open = true;
  if (kept.scroll) scrollTo(0, kept.scroll);

  // who reads a point, zooms or types is not disturbed
  const busy = () => document.querySelector("figure:hover, figure :focus, select:focus, input:focus, th button:focus") !== null;
  async function look() {
    let version = known;
    try {
      const answer = await fetch("version", { cache: "no-store" });
      version = answer.ok ? await answer.text() : known;
      if (state.dataset.lost) { delete state.dataset.lost; state.textContent = "live"; }
    } catch { state.dataset.lost = "1"; state.textContent = "the server of this page has ended"; }
    if (version !== known && !busy()) { remember(); location.reload(); return; }
    if (version !== known) state.textContent = "live: there is more, shown once you leave the chart";
    setTimeout(look, POLL);
  }
  setTimeout(look, POLL);
})();
