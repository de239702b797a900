/**
 * Amounts of OPEN as people write them, and wei: parsed and printed exactly by commands, pages and programs. 1 OPEN is 10^18
 * wei.
 */
import { MAX_AMOUNT_WEI } from "@openledger/circuits/protocol";
import { clientError } from "../client-errors.ts";

const DECIMALS = 18;
const WEI_PER_OPEN = 10n ** BigInt(DECIMALS);

/**
 * Wei of a human amount: decimals of OPEN ("12.5", "12.5 OPEN"), or whole wei ("1000wei").
 * @throws CLI_INPUT_INVALID for anything else, for more than 18 decimals and for more than 96 bits.
 */
export function parseOpen(text: string): bigint {
  const trimmed = text.trim();
  const wei = parseWei(trimmed) ?? parseDecimal(trimmed);
  if (wei === null) {
    throw clientError("CLI_INPUT_INVALID", `"${text}" is no amount of OPEN`, {
      data: { reason: "amount-invalid", text },
    });
  }
  if (wei > MAX_AMOUNT_WEI) {
    throw clientError("CLI_INPUT_INVALID", `"${text}" is more than 96 bits of wei`, {
      data: { reason: "amount-invalid", text },
    });
  }
  return wei;
}

function parseWei(text: string): bigint | null {
  const match = /^(\d+)\s*wei$/i.exec(text);
  return match === null ? null : BigInt(match[1]!);
}

function parseDecimal(text: string): bigint | null {
  const match = /^(\d+)(?:\.(\d{1,18}))?\s*(?:OPEN)?$/i.exec(text);
  if (match === null) return null;
  return BigInt(match[1]!) * WEI_PER_OPEN + BigInt((match[2] ?? "").padEnd(DECIMALS, "0"));
}

/** Exact decimals of OPEN, without trailing zeros: 1500000000000000000 → "1.5". */
export function formatOpen(wei: bigint): string {
  const sign = wei < 0n ? "-" : "";
  const size = wei < 0n ? -wei : wei;
  const fraction = (size % WEI_PER_OPEN).toString().padStart(DECIMALS, "0").replace(/0+$/, "");
  return `${sign}${size / WEI_PER_OPEN}${fraction === "" ? "" : `.${fraction}`}`;
}
