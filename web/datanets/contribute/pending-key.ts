/**
 * Key in the browser's storage for contributions under way. A file of its own, so that app.tsx can look for some without
 * loading contributions.ts.
 */
import { type RollupIdentity, rollupKey } from "../../ledger/rollup-storage.ts";

/** Place of contributions under way in the browser's storage: absent if there are none. */
export const pendingKey = (rollup: RollupIdentity): string => rollupKey("contributions", rollup);
