/** Runs the programs of examples/ against a rollup. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createWorld, QUICK_FINALITY, type World } from "@openledger/e2e/world/world";
import { serveWorld, writeServingWorld } from "@openledger/models/testing/serving-world";
import { parseEther, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type InstalledPackage, installPackage } from "./testing/installed-package.ts";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const account = anvilAccount(5);

/** Runs a program to its end. @param folder where it is, and so what its imports find */
function runExample(folder: string, name: string, env: Readonly<Record<string, string>>) {
  return promisify(execFile)(process.execPath, ["--import", tsx, join(folder, name)], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
  }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout: `${stdout}${stderr}`,
    }),
  );
}

describe("the programs that use the client package", () => {
  let project: InstalledPackage;
  let world: World;
  beforeAll(async () => {
    [project, world] = await Promise.all([
      installPackage("client"),
      createWorld({ name: "examples", ...QUICK_FINALITY }),
    ]);
    for (const name of ["deposit-and-pay.ts", "read-earnings.ts", "verify-batch.ts"])
      cpSync(join(examples, name), join(project.folder, name));
    await world.l1.fund(account.address, parseEther("25"));
  });
  afterAll(async () => {
    await world?.stop();
    project?.remove();
  });

  const run = (name: string, more: Readonly<Record<string, string>> = {}) =>
    runExample(project.folder, name, {
      RPC_URL: world.l1.url,
      SEQUENCER_URL: world.sequencerUrl,
      ROLLUP: world.l1.deployment.rollupAddress,
      ...more,
    });
  const payer = () => ({
    PRIVATE_KEY: toHex(account.getHdKey().privateKey!),
    RECIPIENT: String(world.users[0]!.leafId),
  });

  it("deposit, pay, and then see the balance proven and the batch accepted", async () => {
    const paid = await run("deposit-and-pay.ts", payer());
    // 10 less 1.5 and the fee of a transfer.
    expect(paid.stdout).toMatch(/\nThe payment is posted\. Account \d+ has 8\.4\d+ OPEN left\.\n$/);
    // Its account is there now, and gets the second deposit.
    const again = await run("deposit-and-pay.ts", payer());
    expect(again.stdout).toMatch(/ has 16\.[89]\d+ OPEN left\.\n$/);
    const read = await run("read-earnings.ts", { OWNER: account.address });
    expect(read.stdout).toMatch(
      /^Account \d+: 16\.[89]\d+ OPEN after batch \d+, proven\.\n {2}0 OPEN can be claimed/,
    );
    const verified = await run("verify-batch.ts");
    expect(verified).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^(✓ .+\n){3}! .+\nBatch \d+: /),
    });
  });

  it("say what is missing: OPEN for a deposit", async () => {
    const refused = await run("deposit-and-pay.ts", payer());
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringMatching(/^The wallet has \S+ OPEN/) });
  });

  it("see through a sequencer that shows another root than the contract took", async () => {
    const liar = await startLiar(world.sequencerUrl);
    try {
      const url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
      const { code, stdout } = await run("verify-batch.ts", { SEQUENCER_URL: url });
      expect([code, stdout.split("\n")[1]]).toEqual([1, "✗ newRoot is the contract's"]);
    } finally {
      liar.close();
    }
  });
});

/** Passes questions on, and changes the root after each batch. */
async function startLiar(sequencerUrl: string): Promise<Server> {
  const server = createServer(async ({ url }, response) => {
    const text = await (await fetch(`${sequencerUrl}${url}`)).text();
    response.setHeader("content-type", "application/json");
    response.end(text.replace(/"newRoot":"0x[0-9a-f]+"/g, '"newRoot":"0x5"'));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe("the programs of a clone", () => {
  const folder = mkdtempSync(join(tmpdir(), "openledger-examples-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("stream an answer through OpenAI's client", async () => {
    await writeServingWorld(folder, 1);
    const served = await serveWorld(folder);
    try {
      const { code, stdout } = await runExample(examples, "chat.ts", { MODEL_SERVER_URL: served.url });
      expect(stdout).toMatch(/^Models: base, a0\nbase: The state of the union[\s\S]+\nSeed \d+\./);
      expect(code).toBe(0);
    } finally {
      await served.close();
    }
  });
});
