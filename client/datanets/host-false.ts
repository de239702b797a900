import { clientError } from "../client-errors.ts";

/**
 * What the host serves is not what the ledger stands for.
 * @param what in one word: "row", "list", "card", "record"
 * @internal
 */
export function hostFalse(what: string, which: string, data: object) {
  return clientError("CLI_DATANET_HOST_FALSE", `${which} is not what the ledger's root stands for`, {
    data: { what, ...data },
  });
}
