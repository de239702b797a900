import { bridgeError } from "@openledger/bridge/bridge-errors";
import { clientError } from "@openledger/client/client-errors";
import { deployFailed } from "@openledger/contracts/build/deploy";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { encodeErrorResult, HttpRequestError, RawContractError } from "viem";
import { describe, expect, test } from "vitest";
import { createOutput } from "./output.ts";
import { contractRemedies, renderError } from "./render-error.ts";

test("what a stranger has written gives a terminal no orders", () => {
  const said: string[] = [];
  const stream = { write: (text: string) => said.push(text) } as unknown as NodeJS.WritableStream;
  const output = createOutput({ isJson: false }, { stdout: stream, stderr: stream });
  output.answer(["a model's file \u001b]0;title\u0007\u009b2J", "the next\tline"], {});
  output.fail(clientError("CLI_L1_REVERTED", "\rnothing\u001b[1A"));
  expect(said.join("")).not.toMatch(/[^\P{Cc}\n\t]/u);
  expect(said[0]).toContain("\nthe next\tline\n");
});

describe("renderError", () => {
  test("says what to do about a contract's refusal by its error's name, whoever asked the contract", () => {
    const remedy = contractRemedies.RollupFrozen;
    const reverted = { errorName: "RollupFrozen", operands: [] };
    expect(renderError(bridgeError("BRG_CONTRACT_REVERTED", "no", { data: reverted }))).toMatchObject({
      remedy,
    });
    const refused = { error: "RollupFrozen", args: [] };
    expect(renderError(clientError("CLI_L1_REVERTED", "no", { data: refused }))).toMatchObject({ remedy });
    const other = renderError(clientError("CLI_L1_REVERTED", "no", { data: { error: "RollupAmountZero" } }));
    expect(other.remedy).toContain("IRollup.sol");
  });

  test("says what a failure comes from: a constructor's own error, a node's words, and no node's address", () => {
    const abi = [...rollupAbi, { type: "constructor", inputs: [], stateMutability: "nonpayable" }] as const;
    const data = encodeErrorResult({ abi: rollupAbi, errorName: "RollupFrozen" });
    const reverted = new RawContractError({ data });
    const refused = deployFailed("Rollup", reverted, { abi, args: [] });
    expect(renderError(refused)).toMatchObject({ message: "cannot deploy Rollup", cause: "RollupFrozen()" });
    const full = new HttpRequestError({ url: "http://node/key", details: "fetch failed" });
    expect(renderError(bridgeError("BRG_L1_UNREACHABLE", "no answer", { cause: full })).cause).toBe(
      "fetch failed",
    );
    const told = new HttpRequestError({ url: "http://node/key", details: "no host http://node/key" });
    expect(
      renderError(bridgeError("BRG_L1_UNREACHABLE", "no answer", { cause: told })).cause,
    ).toBeUndefined();
    const said: string[] = [];
    const stream = { write: (text: string) => said.push(text) } as unknown as NodeJS.WritableStream;
    createOutput({ isJson: false }, { stdout: stream, stderr: stream }).fail(refused);
    expect(said.join("")).toContain("cannot deploy Rollup\nbecause: RollupFrozen()\n");
  });

  test("knows no error by a name that no contract has", () => {
    const names = [...rollupAbi, ...openTokenAbi].flatMap((item) =>
      item.type === "error" ? [item.name] : [],
    );
    for (const name of Object.keys(contractRemedies)) expect(names).toContain(name);
  });
});
