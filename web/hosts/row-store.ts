/** Name of the row store in the browser: rows that were fetched and checked, which pages do not fetch again. */
export const ROW_STORE = "openledger-rows";
