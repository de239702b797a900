/** Opens the client of a factory for the commands `openledger factory …`; the account's ledger key signs its requests. */
import { FactoryClient } from "@openledger/models/factory/factory-client";
import { accountOf, type GlobalOptions, openSigner, type Signer, signFor } from "../../cli/context.ts";
import type { FactoryOptions } from "./factory-options.ts";

/** Opens a client of a factory whose requests the account's key signs. */
export async function openFactory(
  options: GlobalOptions & FactoryOptions,
): Promise<{ readonly factory: FactoryClient; readonly signer: Signer; readonly leafId: number }> {
  const signer = await openSigner(options);
  const leaf = await accountOf(signer.client, signer.account.l1.address);
  const client = await signFor(signer, leaf);
  return {
    factory: new FactoryClient(client, options.factory),
    signer: { ...signer, client },
    leafId: leaf.id,
  };
}
