import { toHex32 } from "@openledger/client/hex";
import { parseEther } from "viem";
import type { DrillUser } from "./drill-accounts.ts";
import type { DrillWorld } from "./drill-world.ts";

const TIMEOUT_MS = 300_000;

/** Deposits 1,000 OPEN for a new account. @returns its leaf's id, once the sequencer has it */
export async function openAccount(
  world: DrillWorld,
  { keyX, l1Owner }: Pick<DrillUser, "keyX" | "l1Owner">,
): Promise<number> {
  await world.l1.depositNew(parseEther("1000"), l1Owner, keyX);
  return world.waitFor(
    "the account of a deposit",
    async () => (await world.get<{ id: number }[]>(`/v1/leaves?keyX=${toHex32(keyX)}`))[0]?.id,
    TIMEOUT_MS,
  );
}
