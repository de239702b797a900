// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

// The key store: the end of its code is alpha and beta, gamma, then per circuit the words of its Circuit in their order: sort,
// size0, size1, tableSizes, isDevelopment, circuitId; delta and ic. Places and sizes are bytes.

uint256 constant GAMMA_AT = 0xc0;
uint256 constant SHARED_SIZE = 0x140;
uint256 constant CIRCUIT_SIZE = 0x2c0;
uint256 constant TABLE_AT = 0x60;
uint256 constant ID_AT = 0xa0;
uint256 constant DELTA_AT = 0xc0;
uint256 constant IC_AT = 0x140;
