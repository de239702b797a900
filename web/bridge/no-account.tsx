/** Stands in the forms that need an account where there is none. */
export function NoAccountYet() {
  return (
    <p class="soft">You have no account in the ledger yet. A deposit opens one; it takes about a minute.</p>
  );
}
