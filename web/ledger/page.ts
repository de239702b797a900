import type { Live } from "./live.ts";
import type { Site } from "./site.ts";

/** What every page is given. */
export interface PageProps {
  readonly site: Site;
  readonly live: Live;
  /** What follows the page's name in the address. */
  readonly rest: readonly string[];
}
