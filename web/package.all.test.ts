/** Tests of the client package in a page that Vite bundles, in Chromium. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createWorld, QUICK_FINALITY, type World } from "@openledger/e2e/world/world";
import { type InstalledPackage, installPackage } from "@openledger/scripts/packing/testing/installed-package";
import { parseEther } from "viem";
import { build, type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, openProfile } from "./testing/browser.ts";

/** One whose key the node has. */
const account = anvilAccount(6);

let project: InstalledPackage;
let world: World;
beforeAll(async () => {
  project = await installPackage("client");
  world = await createWorld({ name: "package-page", ...QUICK_FINALITY });
  await world.l1.fund(account.address, parseEther("100"));
});
afterAll(async () => {
  await world?.stop();
  project?.remove();
});

it("works in a page that Vite bundles, with an EIP-1193 wallet", { timeout: 600_000 }, async () => {
  const { rollupAddress } = world.l1.deployment;
  const { folder } = project;
  writeFileSync(
    join(folder, "page.js"),
    `import { createLedgerClient, deposit, deriveKey, parseOpen, transfer, waitFor, walletSigner } from "openledger-client";
     const request = async ({ method, params }) => {
       const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
       const headers = { "content-type": "application/json" };
       const answer = await (await fetch("${world.l1.url}", { method: "POST", headers, body })).json();
       if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
       return answer.result;
     };
     const provider = { request };
     const place = { rollupAddress: "${rollupAddress}", chainId: 31337 };
     const address = "${account.address}";
     window.work = async () => {
       const l2Key = await deriveKey({ wallet: walletSigner(provider, address), ...place });
       const options = { sequencerUrl: location.origin, rollupAddress: place.rollupAddress, l2Key };
       const client = await createLedgerClient({ ...options, wallet: { provider, address } });
       const deposited = await deposit(client, { amountWei: parseOpen("7") });
       await waitFor(client, deposited, "acknowledged");
       const payment = { to: ${world.users[1]!.leafId}, amountWei: parseOpen("2") };
       const { hash, preconfirmation } = await transfer(client, payment);
       const { stage } = await waitFor(client, { hash }, "closed");
       return { stage, isPromised: preconfirmation !== null };
     };`,
  );
  writeFileSync(join(folder, "index.html"), '<script type="module" src="./page.js"></script>');
  await build({ root: folder, configFile: false, logLevel: "error", build: { target: "es2022" } });
  // The page and the API have one origin, as where a sequencer serves its pages.
  const proxy = { "/v1": { target: world.sequencerUrl, ws: true } };
  const server: PreviewServer = await preview({
    root: folder,
    configFile: false,
    logLevel: "error",
    preview: { port: 0, host: "127.0.0.1", proxy },
  });
  const browser = await openBrowser();
  try {
    const { context, misdeeds } = await openProfile(browser);
    const page = await context.newPage();
    await page.goto(server.resolvedUrls!.local[0]!);
    const done = await page.evaluate(() => (globalThis as unknown as { work(): Promise<unknown> }).work());
    expect(done).toMatchObject({ stage: expect.stringMatching(/closed|proven|posted/), isPromised: true });
    expect(misdeeds).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});
