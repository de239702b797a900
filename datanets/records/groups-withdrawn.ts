/** The one refusal of groups whose members own a key together (docs/how-to/own-together.md): commands, pages and hosts give it. */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { datanetError } from "../datanet-errors.ts";

/** The error DNT_GROUPS_WITHDRAWN: nothing was changed. */
export const groupsWithdrawn = (): RollupError =>
  datanetError(
    "DNT_GROUPS_WITHDRAWN",
    "groups are withdrawn: two faults destroy or give away a group's key; nothing was changed",
  );
