/** A Datanet that a real Safe of 2 of 3 owns, and what its owners do on the page "#/safe". A test and the picture of the page share it. */
import { sendToken } from "@openledger/client/actions/l1/send-token";
import { moveAccount } from "@openledger/client/actions/ledger/move-account";
import { createLedgerClient } from "@openledger/client/ledger-client";
import { deploySafe, type SafeWallet } from "@openledger/client/testing/safe-wallet";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import type { Browser, Locator, Page } from "playwright-core";
import type { Looks } from "./browser.ts";
import { type DatanetWorld, startDatanetWorld } from "./datanet-world.ts";

/** Wallets of alice, who is the delegate, and of bob, carol and dave, who own the Safe. */
const ALICE = anvilAccount(4);
const OWNERS = [5, 6, 7].map(anvilAccount);

export interface SafeWorld extends DatanetWorld {
  readonly safe: SafeWallet;
  readonly datanetId: number;
  /** Opens the page of the Safe with an owner's wallet. @param path address of the Safe, or of a link with a proposal */
  openAs(
    browser: Browser,
    person: "bob" | "carol",
    path: string,
    looks?: Looks,
  ): Promise<{ page: Page; misdeeds: string[] }>;
}

export async function startSafeWorld(): Promise<SafeWorld> {
  const world = await startDatanetWorld();
  const { datanetId } = await world.makeDatanet(sampleCard());
  const safe = await deploySafe(world.rpcUrl, OWNERS, 2);
  const { l2Key, rollupAddress } = world.client("alice");
  const alice = await createLedgerClient({
    rpcUrl: world.rpcUrl,
    sequencerUrl: world.url,
    rollupAddress,
    wallet: ALICE,
    l2Key: l2Key!,
    leafId: datanetId,
  });
  await sendToken(alice, { to: safe.address, amountWei: 5n * OPEN });
  await moveAccount(alice, { newOwner: safe.address, keyX: l2Key!.keyX });
  await world.finalise();
  return {
    ...world,
    safe,
    datanetId,
    async openAs(browser, person, path, looks = {}) {
      const { misdeeds, page } = await world.visit(browser, person, `safe/${path}`, looks);
      const main = page.getByRole("main");
      await main.getByRole("button", { name: `${person}'s wallet` }).click();
      await main.getByRole("heading", { name: "Safe of 2 of 3" }).waitFor();
      return { misdeeds, page };
    },
  };
}

export const proposalOn = (page: Page, name: RegExp) => page.getByRole("article", { name });

/** Proposes the allowance for fees and a new key of the delegate, and signs both. */
export async function proposeBoth(
  page: Page,
  keyX: bigint,
): Promise<[allowance: Locator, rotation: Locator]> {
  await page.getByLabel("OPEN for fees").fill("2");
  await page.getByRole("button", { name: "Propose the allowance" }).click();
  const allowance = proposalOn(page, /Let the rollup take its fees, nonce 0/);
  await allowance.getByText("0 of 2").waitFor();
  const form = page.getByRole("region", { name: "Propose", exact: true });
  await form.getByLabel("The new delegate's ledger key").fill(hex32(keyX));
  await form.getByRole("button", { name: "Propose", exact: true }).click();
  const rotation = proposalOn(page, /Change the key, nonce 1/);
  for (const one of [allowance, rotation]) {
    await one.getByRole("button", { name: "Sign" }).click();
    await one.getByText("1 of 2").waitFor();
  }
  return [allowance, rotation];
}
