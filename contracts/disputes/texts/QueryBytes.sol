// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Openings} from "../base/Openings.sol";
import {WordTrees} from "../base/WordTrees.sol";

/// @title A query and an answer, as a trace has them and as a receipt hashes them
/// @notice A query's entries are odd numbers from -255 to 255; here a byte each, (entry + 255) / 2.
library QueryBytes {
    /// @dev Domain tag of a query's commitment, and bytes that an element of it holds (docs/reference/ledger.md).
    uint256 internal constant TAG = 17;
    uint256 private constant ELEMENT_BYTES = 31;
    bytes11 private constant BRACKET = ",\"tokens\":[";
    /// @dev Of a token, with the comma before it.
    uint256 private constant MOST_DIGITS = 11;

    /// @notice Root of the tree over the entries as floats, eight a word.
    function root(bytes calldata query) internal pure returns (bytes32) {
        uint256 words = (query.length + 7) >> 3;
        bytes32[] memory nodes = new bytes32[](1 << Openings.depthOf(words));
        for (uint256 word; word < words; word++) {
            uint256 packed;
            for (uint256 i; i < 8; i++) {
                uint256 place = 8 * word + i;
                packed = (packed << 32) | (place < query.length ? floatOf(uint8(query[place])) : 0);
            }
            nodes[word] = bytes32(packed);
        }
        return WordTrees.fold(nodes);
    }

    /// @notice The bits of a float that is 2 · given - 255.
    function floatOf(uint256 given) internal pure returns (uint256 bits) {
        uint256 size = given > 127 ? 2 * given - 255 : 255 - 2 * given;
        uint256 exponent;
        while (size >> (exponent + 1) != 0) exponent++;
        bits = ((127 + exponent) << 23) | ((size << (23 - exponent)) & 0x7fffff);
        if (given < 128) bits |= 1 << 31;
    }

    /// @notice Elements of the commitment to the query, with `rest` in all columns behind it. A byte has the signs and sizes
    /// of four digits ±1, ±3: of two bits in which the upper one is 0, the lower one is turned.
    function elements(bytes calldata query, uint256 columnCount, uint8 rest)
        internal
        pure
        returns (uint256[] memory out)
    {
        out = new uint256[]((columnCount + ELEMENT_BYTES - 1) / ELEMENT_BYTES);
        uint256 last = (uint256(rest) + 255) >> 1;
        for (uint256 j; j < columnCount; j++) {
            uint256 given = j < query.length ? uint8(query[j]) : last;
            out[j / ELEMENT_BYTES] |= (given ^ (~(given >> 1) & 0x55)) << (8 * (j % ELEMENT_BYTES));
        }
    }

    /// @notice Whether an answer's text ends with the tokens behind the prompt's: `"tokens":[1,2,3]}`. Where the answer
    /// ended, the end token is behind them, and not in the text; else there are `most` of them.
    /// @param tokens Four bytes each. @param promptCount Fewer than there are. @param endToken 2^32 for none.
    function isAnswer(
        bytes calldata text,
        bytes calldata tokens,
        uint256 promptCount,
        uint256 most,
        uint256 endToken
    ) internal pure returns (bool) {
        uint256 given = tokens.length / 4 - promptCount;
        bool isEnded = tokenAt(tokens, promptCount + given - 1) == endToken;
        if (given > most || (!isEnded && given != most)) return false;
        if (isEnded) given--;
        // From its end, into memory that is taken once: joined piece by piece, it costs the square of its length.
        bytes memory list = new bytes(BRACKET.length + MOST_DIGITS * given + 2);
        uint256 from = list.length;
        list[--from] = "}";
        list[--from] = "]";
        for (uint256 i = given; i != 0; i--) {
            uint256 token = tokenAt(tokens, promptCount + i - 1);
            // Attack: an answer that goes on behind its end.
            if (token == endToken) return false;
            do {
                list[--from] = bytes1(uint8(48 + token % 10));
                token /= 10;
            } while (token != 0);
            if (i != 1) list[--from] = ",";
        }
        for (uint256 i = BRACKET.length; i != 0;) list[--from] = BRACKET[--i];
        uint256 length = list.length - from;
        bytes32 hash;
        assembly ("memory-safe") {
            hash := keccak256(add(add(list, 32), from), length)
        }
        return text.length >= length && keccak256(text[text.length - length:]) == hash;
    }

    /// @notice Of a list with four bytes a token.
    function tokenAt(bytes calldata tokens, uint256 place) internal pure returns (uint256) {
        return uint32(bytes4(tokens[4 * place:4 * place + 4]));
    }
}
