/** The ledger as L1 has it, for commands that are to work where no sequencer answers. */
import type { Address } from "viem";
import { createPatientL1Client } from "../../bridge/l1-client.ts";
import { restoreLedger } from "../../bridge/restore-ledger.ts";
import { RollupContract } from "../../bridge/rollup-contract.ts";
import type { Ledger } from "../../circuits/ledger.ts";
import { initPoseidon } from "../../circuits/poseidon.ts";
import { LEAF_KIND } from "../../circuits/protocol.ts";
import { clientError } from "../../client/client-errors.ts";
import { type GlobalOptions, resolveEndpoints } from "./context.ts";
import type { Output } from "./output.ts";

/** @throws BRG_* */
export async function ledgerOnL1(options: GlobalOptions, output: Output): Promise<Ledger> {
  await initPoseidon();
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  output.progress("rebuilding the ledger from L1");
  const rollup = new RollupContract({ client: createPatientL1Client({ rpcUrl }), address: rollupAddress });
  return (await restoreLedger(rollup)).ledger;
}

/** The one account of this owner. @throws CLI_LEAF_NOT_FOUND, CLI_LEAF_AMBIGUOUS */
export function onlyAccountOf({ records }: Ledger, owner: Address): number {
  const ids = [...records].flatMap(([id, { leaf }]) =>
    leaf.kind === LEAF_KIND.account && leaf.l1Owner === BigInt(owner) ? [id] : [],
  );
  const [only, ...others] = ids;
  const data = { owner, ids };
  if (only === undefined)
    throw clientError("CLI_LEAF_NOT_FOUND", `${owner} has no account in the ledger`, { data });
  if (others.length === 0) return only;
  throw clientError("CLI_LEAF_AMBIGUOUS", `${owner} has the accounts ${ids.join(", ")}`, { data });
}
