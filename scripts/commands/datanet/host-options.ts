/** Shared options of commands that send requests to a Datanet host. */

import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { isRollupError } from "@openledger/foundation/rollup-error";
import {
  accountOf,
  type GlobalOptions,
  knownDatanetHost,
  openReader,
  openSigner,
  signFor,
} from "../../cli/context.ts";
import { defineOptions } from "../../cli/options.ts";

export const HOST_OPTION = defineOptions({
  "--host <url>": {
    about: "the public URL of the Datanet host; of a devnet on this machine it is known",
    fallback: knownDatanetHost() as string,
    isRequired: true,
  },
});

/** Option of commands that also work without a host. */
export const ANY_HOST_OPTION = defineOptions({
  "--host <url>": "the public URL of a Datanet host",
});

/** Option of commands that publish, train or sign by a host's records. */
export const UNSIGNED_OPTION = defineOptions({
  "--without-unsigned":
    "go on where the host shows records that the present key of their leaf did not sign, without them; default: stop and name them",
});

/** `withoutUnsigned` of a call, by the option. */
export const unsignedOf = ({ withoutUnsigned }: { readonly withoutUnsigned?: boolean }) => ({
  withoutUnsigned: withoutUnsigned === true,
});

/** Errors of a host that nobody named. */
const UNASKED = ["DNT_NOT_HOSTED", "CLI_NOT_CONFIGURED", "CLI_UNREACHABLE"] as const;

/**
 * Asks the host that is named, else the one that this machine knows, if the ledger is its own.
 * @returns null where nobody named one, and none is known or it does not have the Datanet or does not answer
 */
export async function askAnyHost<Answer>(
  options: GlobalOptions & { readonly host?: string | undefined },
  ask: (hostUrl: string) => Promise<Answer>,
): Promise<Answer | null> {
  if (options.host !== undefined) return ask(options.host);
  const known = knownDatanetHost(options);
  if (known === undefined) return null;
  try {
    return await ask(known);
  } catch (error) {
    if (UNASKED.some((code) => isRollupError(error, code))) return null;
    throw error;
  }
}

export interface HostOptions {
  host: string;
}

/** Signs for the account, or for the Datanet that the account owns. */
export async function signerClient(options: GlobalOptions, datanetId: number | null) {
  const signer = await openSigner(options);
  const leaf =
    datanetId === null
      ? await accountOf(signer.client, signer.account.l1.address)
      : await getLeaf(signer.client, datanetId);
  return signFor(signer, leaf);
}

/** Public rows need no account. */
export function readerOrSigner(options: GlobalOptions) {
  const hasAccount = options.account !== undefined || options.privateKeyFile !== undefined;
  return hasAccount ? signerClient(options, null) : openReader(options);
}
