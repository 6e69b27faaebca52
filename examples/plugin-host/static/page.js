// Fetches the page again every second, and puts the new table in the old one's place.
"use strict";

document.getElementById("origin").textContent = location.origin;

async function refresh() {
  const main = document.getElementById("plugins");
  try {
    const response = await fetch("/", { signal: AbortSignal.timeout(5000) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("plugins");
    // Do not replace the table while the user has selected or scrolled to something.
    if (fresh && getSelection().isCollapsed) {
      const left = main.querySelector(".scroll")?.scrollLeft ?? 0;
      main.replaceChildren(...fresh.childNodes);
      main.querySelector(".scroll")?.scrollTo({ left });
    }
    main.classList.remove("stale");
    main.dataset.refreshed = Number(main.dataset.refreshed ?? 0) + 1;
  } catch {
    // The server is gone, or busy: what is shown is of before.
    main.classList.add("stale");
  }
  setTimeout(refresh, 1000);
}

setTimeout(refresh, 1000);
