/**
 * Checks that an existing token, which a deployment's configuration names, has the code of this repository's: the ledger's sums
 * hold for no other. deploy-plan.ts calls it.
 */

import { compileContracts, pickContract } from "@openledger/contracts/build/compile";
import { type Address, encodeDeployData, type Hex, type PublicClient } from "viem";
import { operatorError } from "../../../cli/operator-errors.ts";

/** Bytes of the code depend on the token's own address (EIP-712's domain). They differ between any two of these. */
const ANY_DEPLOYERS: readonly Address[] = Array.from(
  { length: 6 },
  (_, i) => `0x${String(i + 1).padStart(40, "5")}` as Address,
);

/**
 * Compares the code on L1 with what this repository's source makes, byte by byte, except where it holds the token's own
 * address. The token's wording alone would not do: one with a fee on transfers has the same functions.
 *
 * @throws CMD_DEPLOY_REFUSED
 */
export async function requireOpenToken(client: PublicClient, address: Address): Promise<void> {
  const { abi, bytecode } = pickContract(await compileContracts(), "OpenToken");
  const data = encodeDeployData({ abi, bytecode, args: [address] });
  const [found, ...made] = await Promise.all([
    client.getCode({ address }),
    ...ANY_DEPLOYERS.map((account) => client.call({ account, data }).then((answer) => answer.data ?? "0x")),
  ]);
  const bytes = (code: Hex) => code.slice(2).match(/../g) ?? [];
  const codes = made.map(bytes);
  const [first] = codes;
  const isSame =
    found !== undefined &&
    bytes(found).length === first!.length &&
    bytes(found).every((byte, i) => byte === first![i] || codes.some((code) => code[i] !== first![i]));
  if (isSame) return;
  throw operatorError(
    "CMD_DEPLOY_REFUSED",
    `${address} ${found === undefined ? "has no code" : "has other code than OpenToken"}`,
    { data: { reason: "token-unknown", address } },
  );
}
