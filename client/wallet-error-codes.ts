/**
 * Finds the error codes of a wallet in what a call threw, however deep libraries have wrapped them: so that a refusal by the
 * user is told from a failure.
 */

/**
 * Fields in which wallets and libraries put the error that they wrap: MetaMask Mobile in `data.originalError`, viem in
 * `cause`, ethers in `info.error` or as JSON in `error.body`, an AggregateError in `errors`.
 */
const WRAPPERS = ["cause", "data", "originalError", "error", "info", "errors", "reason", "body"] as const;
/** Depth to which nested errors are searched. */
const MAX_DEPTH = 12;
/** Maximum errors that are looked at in one list. */
const MAX_ERRORS = 20;

/** Word of ethers for EIP-1193's 4001. */
const ETHERS_REJECTED = "ACTION_REJECTED";

/**
 * The EIP-1193 and JSON-RPC codes of a wallet's error, at any depth.
 * @internal
 */
export function walletErrorCodes(error: unknown): ReadonlySet<number> {
  const codes = new Set<number>();
  const seen = new Set<object>();
  const look = (at: unknown, depth: number): void => {
    if (depth > MAX_DEPTH) return;
    if (typeof at === "string" && at.startsWith("{")) {
      look(parsed(at), depth + 1);
      return;
    }
    if (Array.isArray(at)) {
      if (seen.has(at)) return;
      seen.add(at);
      for (const one of at.slice(0, MAX_ERRORS)) look(one, depth + 1);
      return;
    }
    if (typeof at !== "object" || at === null || seen.has(at)) return;
    seen.add(at);
    const { code } = at as { code?: unknown };
    if (typeof code === "number") codes.add(code);
    else if (code === ETHERS_REJECTED) codes.add(USER_REJECTED[0]);
    // Some bridges to phones write numbers as text.
    else if (typeof code === "string" && /^-?\d{4,5}$/.test(code)) codes.add(Number(code));
    for (const name of WRAPPERS) look((at as Record<string, unknown>)[name], depth + 1);
  };
  look(error, 0);
  return codes;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Codes of a refusal by the owner: EIP-1193, and CAIP-25 of wallets behind WalletConnect. */
const USER_REJECTED = [4001, 5000] as const;

/** JSON-RPC's "resource unavailable", by which wallets say that a request of the same sort waits for its owner. */
const REQUEST_PENDING = -32002;

/**
 * Returns true if an earlier request waits in the wallet.
 * @internal
 */
export const isRequestPending = (error: unknown): boolean => walletErrorCodes(error).has(REQUEST_PENDING);

/**
 * Returns true if the wallet's owner declined.
 * @internal
 */
export function isUserRejection(error: unknown): boolean {
  const codes = walletErrorCodes(error);
  return USER_REJECTED.some((code) => codes.has(code));
}
