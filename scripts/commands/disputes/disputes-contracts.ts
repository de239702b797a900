/** Commands about postings take a contract of disputes, or a gate with several behind it. */
import type { Address, PublicClient } from "viem";
import { isDirect } from "../../../attribution/features/direct-rows.ts";
import type { PublishedModel } from "../../../attribution/model/model-files.ts";
import { type GateContract, readGateContracts } from "../../../client/disputing/gate-contracts.ts";
import { commandError } from "../../cli/cli-errors.ts";

/** All that take postings. @throws CMD_USAGE where there is none */
export async function contractsBehind(
  client: PublicClient,
  address: Address,
): Promise<readonly GateContract[]> {
  if ((await client.getCode({ address })) === undefined)
    throw commandError("CMD_USAGE", `there is no contract at ${address}: check the address and --rpc`);
  const contracts = await readGateContracts(client, address);
  if (contracts.length === 0) throw commandError("CMD_USAGE", `the contract at ${address} is no Disputes`);
  return contracts;
}

/** The one that judges models of this kind. @throws CMD_USAGE */
export async function contractFor(
  client: PublicClient,
  address: Address,
  { features }: Pick<PublishedModel, "features">,
): Promise<Address> {
  const kind = isDirect(features) ? "direct" : "classifier";
  const found = (await contractsBehind(client, address)).find((one) => one.kind === kind);
  if (found === undefined)
    throw commandError("CMD_USAGE", `no contract at ${address} judges models of this kind (${kind})`);
  return found.address;
}
