import { describe, expect, it } from "vitest";
import { FIELD_ORDER } from "../protocol.ts";
import { packTable } from "../table/table-shape.ts";
import { shapeOf } from "../testing/sample-shape.ts";
import { batchSizes } from "./circuit-sizes.ts";
import {
  type Deployment,
  encodeDeployment,
  genesisOf,
  loadDeployment,
  parseDeployment,
} from "./deployment.ts";

const deployment: Deployment = {
  chainId: 31337,
  rpcUrl: "http://127.0.0.1:8545",
  tokenAddress: `0x${"11".repeat(20)}`,
  rollupAddress: `0x${"22".repeat(20)}`,
  deployedAtBlock: 3,
  domain: FIELD_ORDER - 1n,
  genesis: {
    treasuryOwner: `0x${"33".repeat(20)}`,
    operatorOwner: `0x${"44".repeat(20)}`,
    operatorKeyX: 5n,
    root: 6n,
  },
  idFeeWei: 10n ** 18n,
  circuits: [
    {
      name: "table-4-2-2-8-2-2-1",
      ...batchSizes(shapeOf(6, 2)),
      tableSizes: packTable(shapeOf(6, 2).table),
      circuitId: 2n ** 256n - 1n,
      isDevelopment: true,
      verificationKeyPath: "a",
      zkeyPath: "b",
      wasmPath: "c",
      contentHash: "d",
    },
  ],
};

describe("deployment", () => {
  it("reads back what it wrote", () => {
    expect(parseDeployment(encodeDeployment(deployment))).toEqual(deployment);
    expect(genesisOf(deployment).treasuryOwner).toBe(BigInt(`0x${"33".repeat(20)}`));
  });

  it("takes circuits of as many payees as L1 does, and no more", () => {
    const withPayees = (size1: number) => {
      const sizes = { sort: 3, size0: 1, size1, tableSizes: 0n };
      const exit = { ...deployment.circuits[0]!, ...sizes, name: `payee-exit-${size1}` };
      return encodeDeployment({ ...deployment, circuits: [exit] });
    };
    expect(parseDeployment(withPayees(512)).circuits[0]!.size1).toBe(512);
    expect(() => parseDeployment(withPayees(513))).toThrow(
      expect.objectContaining({ code: "CIR_DEPLOYMENT_INVALID", data: { fields: ["circuits.0.size1"] } }),
    );
  });

  it("names every wrong field", () => {
    const broken = encodeDeployment({
      ...deployment,
      domain: FIELD_ORDER,
      circuits: [{ ...deployment.circuits[0]!, name: "table-6-2-2-8-2-2-1" }],
      tokenAddress: "0x12",
    });
    expect(() => parseDeployment(broken)).toThrow(
      expect.objectContaining({
        code: "CIR_DEPLOYMENT_INVALID",
        data: { fields: ["tokenAddress", "domain", "circuits.0"] },
      }),
    );
  });

  it("refuses a file that is absent or not JSON", () => {
    expect(() => loadDeployment("/nonexistent")).toThrow(
      expect.objectContaining({ code: "CIR_DEPLOYMENT_INVALID" }),
    );
    expect(() => parseDeployment("{")).toThrow(expect.objectContaining({ code: "CIR_DEPLOYMENT_INVALID" }));
  });
});
