import { bridgeError } from "@openledger/bridge/bridge-errors";
import { clientError } from "@openledger/client/client-errors";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
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

  test("knows no error by a name that no contract has", () => {
    const names = [...rollupAbi, ...openTokenAbi].flatMap((item) =>
      item.type === "error" ? [item.name] : [],
    );
    for (const name of Object.keys(contractRemedies)) expect(names).toContain(name);
  });
});
