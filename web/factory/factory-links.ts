/** Addresses within the factory's pages: whoever reloads comes back to the same place. */

/** A tuning in this browser. */
export const hereHref = (runId: string) => `#/factory/here/${runId}`;
export const HERE_HREF = "#/factory/here";
export const FACTORY_HREF = "#/factory";
