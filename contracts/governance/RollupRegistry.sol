// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IRollup} from "../rollup/IRollup.sol";
import {OpenToken} from "../rollup/OpenToken.sol";
import {IRollupRegistry} from "./IRollupRegistry.sol";

/// @title The list of named rollups
/// @dev Documentation is in IRollupRegistry.
contract RollupRegistry is IRollupRegistry {
    /// @inheritdoc IRollupRegistry
    address public immutable governance;
    /// @inheritdoc IRollupRegistry
    OpenToken public immutable token;

    Version[] private _versions;

    /// @param first The rollup of the same deployment: version 1, whose token all later ones have to keep.
    constructor(address timelock, IRollup first, bytes32 sourcesHash) {
        governance = timelock;
        token = first.token();
        _add(first, sourcesHash);
    }

    /// @inheritdoc IRollupRegistry
    function announce(IRollup rollup, bytes32 sourcesHash) external returns (uint256 number) {
        if (msg.sender != governance) revert RegistryNotGovernance(msg.sender);
        if (address(rollup).code.length == 0) revert RegistryNoRollup(address(rollup));
        OpenToken itsToken = rollup.token();
        if (address(itsToken) != address(token)) revert RegistryOtherToken(address(itsToken));
        if (rollup.state().isFrozen) revert RegistryFrozen(address(rollup));
        return _add(rollup, sourcesHash);
    }

    function _add(IRollup rollup, bytes32 sourcesHash) private returns (uint256 number) {
        _versions.push(Version(rollup, uint40(block.timestamp), sourcesHash));
        number = _versions.length;
        emit VersionAnnounced(number, rollup, sourcesHash);
    }

    /// @inheritdoc IRollupRegistry
    function latest() external view returns (Version memory, uint256 number) {
        number = _versions.length;
        return (_versions[number - 1], number);
    }

    /// @inheritdoc IRollupRegistry
    function version(uint256 number) external view returns (Version memory) {
        if (number == 0 || number > _versions.length) revert RegistryUnknownVersion(number);
        return _versions[number - 1];
    }

    /// @inheritdoc IRollupRegistry
    function versionCount() external view returns (uint256) {
        return _versions.length;
    }
}
