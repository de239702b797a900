// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IRollup} from "./IRollup.sol";

// The value of a batch's blob at its challenge (docs/explanation/data-availability.md, "On L1").

/// @dev Wire form, behind the rest of the batch: the value 32, the KZG commitment 48, the KZG proof 48.
uint256 constant BLOB_OPENING_SIZE = 128;

/// @dev The halves of the blob's value at `z`, shown by the point evaluation precompile (EIP-4844). It refuses a value or
/// a point that is not below the order of the blob's field, and a commitment that is not the versioned hash's.
/// @param data What is posted before the opening.
function openBlob(bytes calldata data, bytes32 versionedHash, uint256 z)
    view
    returns (uint256 low, uint256 high)
{
    bool isOpened;
    assembly ("memory-safe") {
        let input := mload(0x40)
        mstore(input, versionedHash)
        mstore(add(input, 0x20), z)
        calldatacopy(add(input, 0x40), add(data.offset, data.length), BLOB_OPENING_SIZE)
        let value := mload(add(input, 0x40))
        // The call comes first: arguments are evaluated from the right. Without the precompile a call would succeed, and
        // answer nothing.
        isOpened := and(eq(returndatasize(), 0x40), staticcall(gas(), 0x0a, input, 0xc0, 0, 0))
        low := and(value, 0xffffffffffffffffffffffffffffffff)
        high := shr(128, value)
    }
    if (!isOpened) revert IRollup.RollupBlobNotOpened(versionedHash);
}
