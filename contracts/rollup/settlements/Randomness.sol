// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ISettlements} from "./ISettlements.sol";

/// @title prevRandao of an earlier block, from its header
/// @dev A header proves itself: its keccak256 is the block's hash, which the chain still knows for a while. A part of
/// the code that the rollup's constructor puts before its keys: it has no state, and the rollup's code not the room.
abstract contract Randomness {
    /// @dev EIP-2935: answers with the hash of each of the last 8,191 blocks and reverts for any other number.
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev What BLOCKHASH reaches back to.
    uint256 private constant BLOCKHASH_BLOCKS = 256;

    // RLP: a list of 256 to 65,535 bytes, and a string of 32 bytes.
    uint256 private constant LIST_WITH_2_LENGTH_BYTES = 0xf9;
    uint256 private constant STRING_OF_32 = 0xa0;
    uint256 private constant LIST_PREFIX_SIZE = 3;
    /// @dev Place of mixHash, which holds prevRandao since EIP-4399; later forks append fields behind it.
    uint256 private constant MIX_HASH_FIELD = 13;

    /// @notice prevRandao of block `number`. @param header The block's. Assumes number < block.number.
    function prevRandaoOf(uint256 number, bytes calldata header) external view returns (uint256 prevRandao) {
        bytes32 expected = _blockHashOf(number);
        if (expected == 0) revert ISettlements.RandomnessMissed(number, block.number);
        if (keccak256(header) != expected) revert ISettlements.RandomnessHeaderMismatch(expected, keccak256(header));
        prevRandao = _mixHashOf(header);
        if (prevRandao == 0) revert ISettlements.RandomnessZero(number);
    }

    /// @dev Hash of block `number`, or 0 if the chain does not know it any more. Assumes number < block.number.
    function _blockHashOf(uint256 number) private view returns (bytes32 hash) {
        if (block.number - number <= BLOCKHASH_BLOCKS) return blockhash(number);
        (bool isKnown, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
        // Where that contract is missing, the call succeeds with an empty answer.
        if (isKnown && answer.length == 0x20) hash = abi.decode(answer, (bytes32));
    }

    /// @dev The header's mixHash. It lies in a header of the length that the list states, behind thirteen strings.
    function _mixHashOf(bytes calldata header) private pure returns (uint256 prevRandao) {
        uint256 length = header.length;
        if (
            length < LIST_PREFIX_SIZE || _byteAt(header, 0) != LIST_WITH_2_LENGTH_BYTES
                || uint16(bytes2(header[1:LIST_PREFIX_SIZE])) != length - LIST_PREFIX_SIZE
        ) revert ISettlements.RandomnessHeaderMalformed(0);
        uint256 place = LIST_PREFIX_SIZE;
        for (uint256 i = 0; i < MIX_HASH_FIELD; ++i) {
            place += _itemSize(header, place);
        }
        // 33 bytes: a prefix and the string.
        if (place + 0x21 > length || _byteAt(header, place) != STRING_OF_32) {
            revert ISettlements.RandomnessHeaderMalformed(place);
        }
        return uint256(bytes32(header[place + 1:place + 0x21]));
    }

    /// @dev Size of the string at `place` with its prefix. What it runs beyond the end, the next read finds.
    function _itemSize(bytes calldata header, uint256 place) private pure returns (uint256) {
        if (place >= header.length) revert ISettlements.RandomnessHeaderMalformed(place);
        uint256 prefix = _byteAt(header, place);
        if (prefix < 0x80) return 1;
        if (prefix < 0xb8) return prefix - 0x7f;
        // The bloom filter alone is longer than 55 bytes: 256, so its length takes two bytes.
        if (prefix != 0xb9 || place + 3 > header.length) revert ISettlements.RandomnessHeaderMalformed(place);
        return 3 + uint256(uint16(bytes2(header[place + 1:place + 3])));
    }

    function _byteAt(bytes calldata header, uint256 place) private pure returns (uint256) {
        return uint8(header[place]);
    }
}
