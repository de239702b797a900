/** Numbers as people read them. What is shown shortened is exact elsewhere: in a title, or when it is copied. */
import { formatOpen } from "@openledger/client/sequencer/open-amount";

const SHOWN_DECIMALS = 4;

/** 1234.5 → "1,234.5"; never rounds up, and says "<0.0001" instead of 0 for dust. */
export function showOpen(wei: bigint): string {
  const [whole, fraction = ""] = formatOpen(wei).split(".");
  const kept = fraction.slice(0, SHOWN_DECIMALS).replace(/0+$/, "");
  if (wei > 0n && whole === "0" && kept === "") return `<0.${"0".repeat(SHOWN_DECIMALS - 1)}1`;
  return `${showCount(BigInt(whole!))}${kept === "" ? "" : `.${kept}`}`;
}

export function showCount(value: number | bigint): string {
  return value.toLocaleString("en");
}

/** 95,000 → "1 min 35 s", as coarse as it may be. */
export function showDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 950) return `${Math.max(1, Math.round(ms))} ms`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10 && seconds % 60 > 0) return `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** How long ago a moment was. */
export function showAge(atMs: number, nowMs: number): string {
  return nowMs - atMs < 2_000 ? "just now" : `${showDuration(nowMs - atMs)} ago`;
}

export function showTime(atMs: number): string {
  return new Date(atMs).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}
