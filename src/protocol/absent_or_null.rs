//! Members that may be absent, null or there, where absent and null differ on the wire: outer `None`
//! is absent (with `skip_serializing_if`), inner `None` is null.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[expect(clippy::option_option, reason = "absent and null differ on the wire")]
pub(crate) fn serialize<T: Serialize, S: Serializer>(
    value: &Option<Option<T>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    value.as_ref().and_then(Option::as_ref).serialize(to)
}

#[expect(clippy::option_option, reason = "absent and null differ on the wire")]
pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}
