/** The pages by their addresses. A hash, so that no server has to know them, and a page from a file has them, too. */
import { signal } from "@preact/signals";

/** "#/bridge" → ["bridge"]; further parts are the page's own: "#/batch/7" → ["batch", "7"]. */
function partsOfHash(): readonly string[] {
  return window.location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
}

export const route = signal(partsOfHash());

window.addEventListener("hashchange", () => {
  route.value = partsOfHash();
  // As with a new document: from the top, and read out from there.
  window.scrollTo(0, 0);
  document.getElementById("main")?.focus();
});
