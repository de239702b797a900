/** Error of the client for a Datanet host's answer that does not match the ledger. */
import { clientError } from "../client-errors.ts";

/**
 * Error for a host's answer that does not match the ledger.
 * @param what in one word: "row", "list", "card", "record"
 * @internal
 */
export function hostFalse(what: string, which: string, data: object) {
  return clientError("CLI_DATANET_HOST_FALSE", `${which} is not what the ledger's root stands for`, {
    data: { what, ...data },
  });
}
