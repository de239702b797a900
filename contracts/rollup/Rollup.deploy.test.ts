/** Tests of the Rollup contract's constructor: settings, genesis, and refused circuits and keys. */
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeployOptions } from "../build/deploy.ts";
import { startAnvil } from "../l1/anvil.ts";
import { connect, deployFixture, OPEN, revertOf, SHAPES, startFixture } from "../testing/rollup-fixture.ts";
import { simulateCircuit } from "../testing/test-prover.ts";

/** Supply of OpenToken. */
const SUPPLY = 1_000_000_000n * OPEN;
const ZERO = "0x0000000000000000000000000000000000000000";

let f: Awaited<ReturnType<typeof startFixture>>;
beforeAll(async () => {
  f = await startFixture();
});
afterAll(() => f?.stop());

describe("Rollup's constructor", () => {
  test("states what the genesis root was computed from, and starts there", async () => {
    const events = await f.rollup.getEvents.GenesisSet({ fromBlock: f.deployment.blockNumber });
    expect(events[0]?.args).toEqual({
      genesisRoot: 123n,
      treasuryOwner: f.roles.treasury,
      operatorOwner: f.roles.operator,
      operatorKeyX: 456n,
    });
    expect(await f.rollup.read.state()).toEqual({
      root: 123n,
      batchNumber: 0,
      nextId: 2,
      opIndex: 0,
      timestamp: 0,
      queueHead: 0,
      isFrozen: false,
    });
  });

  test("keeps its settings, with deadlines in order", async () => {
    const { read } = f.rollup;
    expect(await read.sequencer()).toBe(f.roles.sequencer);
    expect(await read.idFeeWei()).toBe(OPEN);
    expect(await read.minDepositWei()).toBe(OPEN);
    expect(await read.queueBaseFeeWei()).toBe(OPEN);
    expect(await read.queueCapacity()).toBe(1024);
    expect(await read.isDevelopment()).toBe(true);
    const [window, soft, hard] = await Promise.all([
      read.TIMESTAMP_WINDOW(),
      read.SOFT_DEADLINE(),
      read.HARD_DEADLINE(),
    ]);
    expect([window, soft, hard]).toEqual([3600n, 86_400n, 604_800n]);
    expect(window < soft && soft < hard).toBe(true);
    const blocks = await read.RANDOMNESS_DELAY();
    expect(blocks).toBe(128n);
    // Two epochs of slots, also where some are missed; 12 seconds a block, and 8,191 of them to record it in.
    expect(blocks).toBeGreaterThan(2n * 32n);
    // Before anyone may settle.
    expect((blocks + 8191n) * 12n).toBeLessThan(259_200n);
  });

  test("refuses every setting out of range, by its name", async () => {
    const token = f.deployment.token;
    const deploy = (overrides: Partial<DeployOptions>) =>
      revertOf(deployFixture(f.client, { token, ...overrides }));
    const cases: Partial<DeployOptions>[] = [
      { token: f.roles.alice },
      { sequencer: ZERO },
      { genesisRoot: 0n },
      { genesisRoot: FIELD_ORDER },
      { treasuryOwner: ZERO },
      { operatorOwner: ZERO },
      { operatorKeyX: FIELD_ORDER },
      { minDepositWei: 0n },
      // Less than the base fee, which a refused deposit pays; more than there is.
      { minDepositWei: OPEN - 1n },
      { minDepositWei: SUPPLY + 1n },
      { queueBaseFeeWei: 0n },
      { queueBaseFeeWei: SUPPLY / 8n + 1n },
      // With the least deposit more than there is.
      { idFeeWei: SUPPLY - OPEN + 1n },
      { idFeeWei: 2n ** 96n - 1n },
      { queueCapacity: 7 },
    ];
    for (const overrides of cases) {
      const [field] = Object.keys(overrides);
      const { name, args } = await deploy(overrides);
      expect(name, field).toBe("RollupConfigInvalid");
      expect(Buffer.from(String(args[0]).slice(2), "hex").toString().replaceAll("\0", "")).toBe(field);
    }
    const edges: Partial<DeployOptions> = {
      genesisRoot: FIELD_ORDER - 1n,
      operatorKeyX: 0n,
      minDepositWei: 1n,
      idFeeWei: 0n,
      queueBaseFeeWei: 1n,
      queueCapacity: 8,
    };
    const highest: Partial<DeployOptions> = {
      minDepositWei: SUPPLY / 2n,
      idFeeWei: SUPPLY / 2n,
      queueBaseFeeWei: SUPPLY / 8n,
      queueCapacity: 65_535,
    };
    for (const overrides of [edges, highest])
      expect(await deploy(overrides)).toMatchObject({ name: "accepted" });
  });

  test("refuses a batch circuit with more slots than the wire form counts", async () => {
    const deploy = (narrow: number, wide: number) =>
      revertOf(
        deployFixture(f.client, {
          token: f.deployment.token,
          circuits: [simulateCircuit(batchSizes(shapeOf(narrow, wide)))],
        }),
      );
    const name = "VerifierShapeInvalid";
    expect(await deploy(4_092, 8)).toEqual({ name, args: [0n, 0, 4_092, 8] });
    expect(await deploy(8, 256)).toEqual({ name, args: [0n, 0, 8, 256] });
    expect(await deploy(3_840, 255)).toMatchObject({ name: "accepted" });
  });

  test("refuses development keys on any chain but 31337 (I10)", async () => {
    const circuits = [simulateCircuit(batchSizes(SHAPES[0])), simulateCircuit(batchSizes(SHAPES[1]))];
    const anvil = await startAnvil({ chainId: 1 });
    try {
      const client = await connect(anvil, 1);
      const released = circuits.map((circuit) => ({ ...circuit, isDevelopment: false }));
      expect(await revertOf(deployFixture(client, { circuits: released }))).toMatchObject({
        name: "accepted",
      });
      expect(await revertOf(deployFixture(client, { circuits: released.with(1, circuits[1]!) }))).toEqual({
        name: "VerifierDevelopmentKey",
        args: [1n, 1n],
      });
    } finally {
      await anvil.stop();
    }
  });

  test("is no development deployment without development keys", async () => {
    const circuits = [{ ...simulateCircuit(batchSizes(SHAPES[0])), isDevelopment: false }];
    const other = await deployFixture(f.client, { circuits, token: f.deployment.token });
    expect(await other.rollup.read.isDevelopment()).toBe(false);
  });
});

describe("OpenToken", () => {
  test("mints its whole supply to the holder, and nothing afterwards", async () => {
    expect(await f.token.read.totalSupply()).toBe(1_000_000_000n * OPEN);
    const names = f.token.abi.filter((item) => item.type === "function").map((item) => item.name);
    expect(names.filter((name) => /mint/i.test(name))).toEqual([]);
  });

  test("counts delegated votes and lowers the supply when tokens are burned", async () => {
    await f.token.write.delegate([f.roles.alice], { account: f.roles.alice });
    expect(await f.token.read.getVotes([f.roles.alice])).toBe(100_000n * OPEN);
    // anvil estimates gas in the last block, where the delegation's checkpoint would be overwritten, not added to.
    await f.client.mine({ blocks: 1 });
    await f.token.write.burn([OPEN], { account: f.roles.alice });
    expect(await f.token.read.getVotes([f.roles.alice])).toBe(99_999n * OPEN);
    expect(await f.token.read.totalSupply()).toBe(999_999_999n * OPEN);
  });
});
