//! Properties in bodies, read straight into the engine's values.

use std::fmt;

use grantd_node::realm::engine::{Properties, Value};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The properties of something, or a context: a JSON object. `null` is the empty one.
#[derive(Debug, Clone, Default)]
pub(crate) struct JsonProperties(pub(crate) Properties);

impl<'de> Deserialize<'de> for JsonProperties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Properties;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Properties, E> {
                Ok(Properties::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Properties, A::Error> {
                object(map)
            }
        }
        deserializer.deserialize_any(Object).map(Self)
    }
}

impl Serialize for JsonProperties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::Map::from(&self.0).serialize(serializer)
    }
}

/// One value of any kind.
struct JsonValue(Value);

impl<'de> Deserialize<'de> for JsonValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }
            fn visit_i64<E: de::Error>(self, int: i64) -> Result<Value, E> {
                Ok(Value::Int(int))
            }
            fn visit_u64<E: de::Error>(self, uint: u64) -> Result<Value, E> {
                Ok(i64::try_from(uint).map_or(Value::Uint(uint), Value::Int))
            }
            fn visit_f64<E: de::Error>(self, double: f64) -> Result<Value, E> {
                Ok(Value::Double(double))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
                let mut values = Vec::new();
                while let Some(JsonValue(value)) = list.next_element()? {
                    values.push(value);
                }
                Ok(Value::List(values.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                object(map).map(Value::Map)
            }
        }
        deserializer.deserialize_any(Any).map(Self)
    }
}

fn object<'de, A: MapAccess<'de>>(mut map: A) -> Result<Properties, A::Error> {
    let mut values = Vec::with_capacity(map.size_hint().unwrap_or(0));
    while let Some((name, JsonValue(value))) = map.next_entry::<String, _>()? {
        values.push((name, value));
    }
    Ok(values.into_iter().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use super::*;

    #[test]
    fn they_are_what_the_engine_reads_from_the_same_text() {
        let text = r#"{"a":null,"b":true,"c":-1,"d":18446744073709551615,"e":0.5,"f":"\u00e5\n","g":[1,[],{"x":2}],
            "h":{"y":{}},"i":9223372036854775807,"c":2}"#;
        let JsonProperties(read) = serde_json::from_str(text).unwrap();
        assert_eq!(read, text.parse().unwrap());
        assert_eq!(read.len(), 9);
    }

    #[test]
    fn null_and_the_empty_object_are_none_at_all() {
        for text in ["null", "{}"] {
            assert!(serde_json::from_str::<JsonProperties>(text).unwrap().0.is_empty());
        }
    }

    #[test]
    fn nothing_else_is_an_object() {
        for text in ["[]", "1", "\"x\"", "true", "{\"a\":}"] {
            assert!(serde_json::from_str::<JsonProperties>(text).is_err(), "{text}");
        }
    }
}
