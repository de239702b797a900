import { clientError } from "@openledger/client/client-errors";
import {
  ContractFunctionExecutionError,
  HttpRequestError,
  InsufficientFundsError,
  UnknownRpcError,
  UserRejectedRequestError,
} from "viem";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { errorsOfPages } from "../build/words-plugin.ts";
import { isRepeated, problemOf, wordsOf } from "./problem.tsx";

const table = errorsOfPages();
const readFee = {
  abi: [],
  functionName: "depositFeeWei",
  contractAddress: "0x0000000000000000000000000000000000000001",
} as const;

const zodError = z.object({ l1Url: z.url() }).safeParse({ l1Url: 7 }).error!;

describe("errors of libraries, browsers and servers", () => {
  it.each([
    ["a fetch that fails", new TypeError("Failed to fetch"), "CLI_UNREACHABLE"],
    ["Firefox's", new TypeError("NetworkError when attempting to fetch resource."), "CLI_UNREACHABLE"],
    ["one in time", new DOMException("signal timed out", "TimeoutError"), "CLI_UNREACHABLE"],
    [
      "a call of viem's to a node that is down",
      new ContractFunctionExecutionError(new HttpRequestError({ url: "http://127.0.0.1:8545" }), readFee),
      "CLI_UNREACHABLE",
    ],
    [
      "a part of viem that cannot be fetched",
      new ContractFunctionExecutionError(
        new UnknownRpcError(new TypeError("Failed to fetch dynamically imported module: http://x/ccip.js")),
        readFee,
      ),
      "CLI_UNREACHABLE",
    ],
    [
      "a part of the page",
      new TypeError("Failed to fetch dynamically imported module: x"),
      "page-part-missing",
    ],
    [
      "a refusal in the wallet",
      new UserRejectedRequestError(new Error("User denied")),
      "CLI_WALLET_REJECTED",
    ],
    ["the same, bare", Object.assign(new Error("denied"), { code: 4001 }), "CLI_WALLET_REJECTED"],
    [
      "the same, as MetaMask Mobile wraps it",
      Object.assign(new Error("denied"), { code: -32603, data: { originalError: { code: 4001 } } }),
      "CLI_WALLET_REJECTED",
    ],
    ["no ether", new UnknownRpcError(new InsufficientFundsError({})), "CLI_ETHER_TOO_LOW"],
    ["what a wallet refuses without saying so", new UnknownRpcError(new Error("internal")), "wallet-answer"],
    ["an answer of another form", zodError, "CLI_ANSWER_INVALID"],
    ["a bug", new RangeError("x is not iterable"), null],
  ])("%s", (_name, error, code) => {
    const problem = problemOf(error);
    expect(problem).toMatchObject({ code, message: "", details: (error as Error).message });
    const { meaning, remedy } = wordsOf(problem, table);
    expect(`${meaning} ${remedy}`).not.toMatch(/viem|zod|fetch\b|https?:|RPC|✖|depositFeeWei/i);
    for (const said of [meaning, remedy]) expect(said).toMatch(/^[A-Z].{15,}[.!?]$/s);
  });
});

describe("errors of this project", () => {
  it("are shown in their own words", () => {
    const message = 'record 1: it has no text "prompt"';
    expect(problemOf(clientError("CLI_INPUT_INVALID", message))).toEqual({
      code: "CLI_INPUT_INVALID",
      message,
    });
  });

  it("keep what they quote as details", () => {
    const quoted = 'GET http://127.0.0.1:8798/v1/models answered 404: {"error":{"code":"ATT_BAD_REQUEST"}}';
    expect(problemOf(clientError("CLI_ANSWER_INVALID", quoted))).toEqual({
      code: "CLI_ANSWER_INVALID",
      message: "",
      details: quoted,
    });
  });

  it("say what to do, whatever the code", () => {
    for (const code of Object.keys(table)) {
      const { remedy } = wordsOf({ code, message: "" }, table);
      expect(remedy).toMatch(/^[A-Z].{2,}[.!?]$/s);
    }
    expect(wordsOf({ code: "DNT_NOT_HOSTED", message: "" }, table)).toEqual({
      meaning: "The host does not have this card, version, row or record.",
      remedy:
        "Check the number; the Datanet may be at another host, or its owner has not signed its card yet.",
    });
  });
});

it("says once, and to its reader, that a wallet has declined", () => {
  const declined = problemOf(clientError("CLI_WALLET_REJECTED", "the wallet's owner declined"));
  expect(isRepeated(declined, table)).toBe(true);
  expect(wordsOf(declined, table)).toEqual({
    meaning: "You declined the request in your wallet.",
    remedy: "Nothing was sent; begin again when you want to go on.",
  });
  const other = problemOf(clientError("CLI_ETHER_TOO_LOW", "deposit was not sent: too little"));
  expect(isRepeated(other, table)).toBe(false);
});
