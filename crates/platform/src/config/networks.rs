use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Some networks, written as `10.0.0.0/8, 2001:db8::/32, 192.0.2.7`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u8)>);

/// The text is no list of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be addresses or networks such as 10.0.0.0/8, separated by commas")]
pub struct NetworksError;

impl Networks {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address lies in one of them. An IPv4 address that is written as IPv6 is the IPv4 address.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => begin_alike(u128::from(u32::from(*network)) << 96, u128::from(u32::from(address)) << 96, *bits),
            (IpAddr::V6(network), IpAddr::V6(address)) => begin_alike(u128::from(*network), u128::from(address), *bits),
            _ => false,
        })
    }
}

fn begin_alike(one: u128, other: u128, bits: u8) -> bool {
    (one ^ other).leading_zeros() >= u32::from(bits)
}

impl FromStr for Networks {
    type Err = NetworksError;

    fn from_str(text: &str) -> Result<Self, NetworksError> {
        let network = |text: &str| {
            let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
            let address: IpAddr = address.trim().parse().map_err(|_| NetworksError)?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(most), |bits| bits.trim().parse::<u8>().ok().filter(|bits| *bits <= most).ok_or(NetworksError))?;
            Ok((address, bits))
        };
        text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Debug for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(address, bits)| format!("{address}/{bits}"))).finish()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn an_address_is_in_a_network_if_they_begin_alike() {
        let networks: Networks = "10.0.0.0/8, 192.0.2.7,2001:db8::/33".parse().unwrap();
        for inside in ["10.255.0.1", "192.0.2.7", "2001:db8:7fff::1", "::ffff:10.1.2.3"] {
            assert!(networks.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "2001:db8:8000::1", "::1", "::"] {
            assert!(!networks.contain(outside.parse().unwrap()), "{outside}");
        }
        let all: Networks = "0.0.0.0/0".parse().unwrap();
        assert!(all.contain("203.0.113.9".parse().unwrap()) && !all.contain("::1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["10.0.0.0/33", "10.0.0/8", "ten", "10.0.0.0/", "::/129", "10.0.0.0/8/8"] {
            assert!(text.parse::<Networks>().is_err(), "{text}");
        }
        assert!("".parse::<Networks>().unwrap().is_empty());
    }
}
