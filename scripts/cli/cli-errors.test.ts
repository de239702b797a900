import { bridgeError } from "@openledger/bridge/bridge-errors";
import { clientError } from "@openledger/client/client-errors";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { describe, expect, test } from "vitest";
import { contractRemedies, renderError } from "./cli-errors.ts";

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
