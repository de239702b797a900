// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IRollup} from "../rollup/IRollup.sol";
import {OpenToken} from "../rollup/OpenToken.sol";

/// @title The rollups that the holders of OPEN have named, oldest first
/// @notice Naming moves nobody's money and gives nobody a right: people leave one rollup and enter another by their own
/// signatures (`openledger migrate`). An entry never changes. To take a version back, an older one is named again.
interface IRollupRegistry {
    /// @param rollup Where to deposit.
    /// @param sourcesHash sha256 of the compiler's input and version, as the deployment record has it; 0 where unknown.
    /// @param announcedAt Time of the block.
    struct Version {
        IRollup rollup;
        uint40 announcedAt;
        bytes32 sourcesHash;
    }

    /// @param number Counted from 1; the last one is the one to enter.
    event VersionAnnounced(uint256 indexed number, IRollup indexed rollup, bytes32 sourcesHash);

    /// @notice Only the timelock names a version.
    error RegistryNotGovernance(address caller);
    /// @notice There is no code at the address.
    error RegistryNoRollup(address rollup);
    /// @notice The rollup keeps another token: nobody's OPEN could be deposited there.
    error RegistryOtherToken(address token);
    /// @notice The rollup is frozen: it takes no deposit any more.
    error RegistryFrozen(address rollup);
    error RegistryUnknownVersion(uint256 number);

    /// @notice Names the rollup to enter from now on. Open to the timelock alone, 30 days after a vote was queued.
    /// @dev Asks the rollup for its token and its state, by static calls, before any effect. Whether its code is good is
    /// for each reader to check: `openledger migrate` compares it with its own sources.
    function announce(IRollup rollup, bytes32 sourcesHash) external returns (uint256 number);

    /// @return The last version named, and its number.
    function latest() external view returns (Version memory, uint256 number);

    /// @param number 1 to `versionCount()`.
    function version(uint256 number) external view returns (Version memory);

    function versionCount() external view returns (uint256);

    /// @notice Who names versions: the timelock. It cannot be changed.
    function governance() external view returns (address);

    function token() external view returns (OpenToken);
}
