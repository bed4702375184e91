//! The types that rpm asks of a header's entries. It refuses a main header in which a known
//! tag has another type (`hdrchkTagType` in `lib/header.c`), and does not believe a digest
//! or a signature of another type (`rpmvfytags` in `lib/rpmvs.c`).

/// Types of entries.
const NUMBERS: usize = 4;
const TEXT: usize = 6;
pub(super) const BINARY: usize = 7;
const TEXTS: usize = 8;
const TRANSLATED: usize = 9;

/// Whether an entry of the main header may have this type and this many values. rpm confuses
/// the types of texts.
pub(super) fn fits_main(tag: usize, kind: usize, count: usize) -> bool {
    // Digests of the payload, packed and unpacked. Of several, rpm asks for some that fit.
    if matches!(tag, 5092 | 5097) {
        return kind == TEXTS && count == 1;
    }
    let is_text = matches!(kind, TEXT | TEXTS | TRANSLATED);
    known(tag).is_none_or(|known| kind == known || known == TEXT && is_text)
}

/// The type of a tag in rpm 4.18 (`include/rpm/rpmtag.h`), of texts the simplest one. `None`
/// if rpm does not know it.
fn known(tag: usize) -> Option<usize> {
    match tag {
        1029 => Some(1),
        1030 | 1033 => Some(3),
        270 | 271 | 5008 | 5009 => Some(5),
        259 | 261 | 262 | 267 | 268 | 1012 | 1013 | 1043 | 1146 => Some(BINARY),
        _ if OF_NUMBERS.binary_search(&tag).is_ok() => Some(NUMBERS),
        _ => OF_TEXTS.binary_search(&tag).is_ok().then_some(TEXT),
    }
}

/// Tags of numbers, in order.
const OF_NUMBERS: [usize; 67] = [
    257, 277, 1003, 1006, 1008, 1009, 1028, 1034, 1037, 1045, 1046, 1048, 1051, 1052, 1053, 1068,
    1069, 1080, 1095, 1096, 1106, 1112, 1114, 1116, 1119, 1127, 1128, 1129, 1134, 1140, 1141, 1143,
    1144, 1145, 1158, 1161, 1195, 5011, 5017, 5018, 5019, 5020, 5021, 5022, 5023, 5024, 5025, 5026,
    5027, 5032, 5033, 5037, 5045, 5048, 5051, 5054, 5057, 5068, 5070, 5072, 5078, 5080, 5082, 5084,
    5085, 5091, 5093,
];
/// Tags of texts, in order.
const OF_TEXTS: [usize; 143] = [
    100, 266, 269, 273, 276, 1000, 1001, 1002, 1004, 1005, 1007, 1010, 1011, 1014, 1015, 1016,
    1018, 1019, 1020, 1021, 1022, 1023, 1024, 1025, 1026, 1027, 1035, 1036, 1039, 1040, 1044, 1047,
    1049, 1050, 1054, 1055, 1059, 1060, 1061, 1062, 1064, 1065, 1066, 1067, 1079, 1081, 1082, 1085,
    1086, 1087, 1088, 1089, 1090, 1091, 1092, 1094, 1097, 1098, 1099, 1113, 1115, 1117, 1118, 1120,
    1121, 1122, 1123, 1124, 1125, 1126, 1132, 1133, 1135, 1142, 1147, 1148, 1149, 1150, 1151, 1152,
    1153, 1154, 1155, 1156, 1157, 1159, 1160, 1196, 5000, 5001, 5002, 5005, 5006, 5007, 5010, 5012,
    5013, 5014, 5015, 5016, 5030, 5031, 5034, 5035, 5036, 5040, 5041, 5042, 5043, 5044, 5046, 5047,
    5049, 5050, 5052, 5053, 5055, 5056, 5058, 5059, 5060, 5061, 5062, 5066, 5067, 5069, 5071, 5076,
    5077, 5079, 5081, 5086, 5087, 5088, 5089, 5090, 5092, 5096, 5097, 5098, 5099, 5100, 5101,
];

/// Whether an entry of the signature header may have this type and this many values. Only
/// digests and signatures are asked.
pub(super) fn fits_signatures(tag: usize, kind: usize, count: usize) -> bool {
    match tag {
        // Signatures over the header, and over header and payload.
        267 | 268 | 1002 | 1005 => kind == BINARY,
        // SHA-1 and SHA-256 of the header.
        269 | 273 => kind == TEXT,
        // MD5 of header and payload.
        1004 => kind == BINARY && count == 16,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_the_type_of_its_tag() {
        for (tag, kind, count, fits) in [
            (1001, TEXT, 1, true),
            (1001, TRANSLATED, 1, true),
            (1001, NUMBERS, 1, false),
            (1028, NUMBERS, 1, true),
            (1028, 5, 1, false),
            (5092, TEXTS, 1, true),
            (5092, TEXTS, 2, false),
            (5092, TRANSLATED, 1, false),
            (6000, NUMBERS, 1, true),
        ] {
            assert_eq!(fits_main(tag, kind, count), fits, "{tag}, {kind}, {count}");
        }
        for (tag, kind, count, fits) in [
            (268, BINARY, 300, true),
            (268, TEXT, 1, false),
            (273, TEXT, 1, true),
            (273, TEXTS, 1, false),
            (1004, BINARY, 16, true),
            (1004, BINARY, 15, false),
            (1000, BINARY, 4, true),
        ] {
            assert_eq!(fits_signatures(tag, kind, count), fits, "{tag}, {kind}, {count}");
        }
    }
}
