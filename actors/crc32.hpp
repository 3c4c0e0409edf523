// The checksum of what lies on disk.
#pragma once

#include <cstdint>
#include <string_view>

namespace segue {

/// CRC-32 as gzip and zlib have it (reflected, polynomial 0xEDB88320).
uint32_t crc32(std::string_view bytes);

} // namespace segue
