//! The numbers of OS errors: guests see Linux's on every host.

/// Linux's errors, and their conversion from those of another Unix system.
macro_rules! errors {
    ($($name:ident = $number:literal,)*) => {
        $(
            // Windows has fewer errors.
            #[cfg_attr(windows, allow(dead_code))]
            pub(crate) const $name: i32 = $number;
        )*

        /// Returns Linux's number of an error of the host. A number without a name stays as it is.
        #[cfg(unix)]
        pub(crate) fn linux_number(host: i32) -> i32 {
            if cfg!(target_os = "linux") {
                return host;
            }
            match host {
                $(libc::$name => $name,)*
                _ if host == libc::EOPNOTSUPP => ENOTSUP,
                _ => host,
            }
        }

        #[cfg(test)]
        const NAMES: &[(&str, i32)] = &[$((stringify!($name), $number),)*];
    };
}

errors! {
    EPERM = 1,
    ENOENT = 2,
    ESRCH = 3,
    EINTR = 4,
    EIO = 5,
    ENXIO = 6,
    E2BIG = 7,
    ENOEXEC = 8,
    EBADF = 9,
    ECHILD = 10,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    EBUSY = 16,
    EEXIST = 17,
    EXDEV = 18,
    ENODEV = 19,
    ENOTDIR = 20,
    EISDIR = 21,
    EINVAL = 22,
    ENFILE = 23,
    EMFILE = 24,
    ENOTTY = 25,
    ETXTBSY = 26,
    EFBIG = 27,
    ENOSPC = 28,
    ESPIPE = 29,
    EROFS = 30,
    EMLINK = 31,
    EPIPE = 32,
    EDOM = 33,
    ERANGE = 34,
    EDEADLK = 35,
    ENAMETOOLONG = 36,
    ENOLCK = 37,
    ENOSYS = 38,
    ENOTEMPTY = 39,
    ELOOP = 40,
    EPROTO = 71,
    EOVERFLOW = 75,
    EILSEQ = 84,
    ENOTSOCK = 88,
    EDESTADDRREQ = 89,
    EMSGSIZE = 90,
    EPROTOTYPE = 91,
    ENOPROTOOPT = 92,
    EPROTONOSUPPORT = 93,
    ENOTSUP = 95,
    EPFNOSUPPORT = 96,
    EAFNOSUPPORT = 97,
    EADDRINUSE = 98,
    EADDRNOTAVAIL = 99,
    ENETDOWN = 100,
    ENETUNREACH = 101,
    ENETRESET = 102,
    ECONNABORTED = 103,
    ECONNRESET = 104,
    ENOBUFS = 105,
    EISCONN = 106,
    ENOTCONN = 107,
    ESHUTDOWN = 108,
    ETIMEDOUT = 110,
    ECONNREFUSED = 111,
    EHOSTDOWN = 112,
    EHOSTUNREACH = 113,
    EALREADY = 114,
    EINPROGRESS = 115,
    ESTALE = 116,
    EDQUOT = 122,
    ECANCELED = 125,
}

/// Returns Linux's number of an error of Windows, as libuv's uv_translate_sys_error. A number without
/// a name stays as it is.
#[cfg(windows)]
pub(crate) fn linux_number(host: i32) -> i32 {
    match host {
        5 | 740 | 10013 => EACCES,
        10048 => EADDRINUSE,
        10049 => EADDRNOTAVAIL,
        10047 => EAFNOSUPPORT,
        10035 | 232 => EAGAIN,
        10037 => EALREADY,
        6 | 10009 => EBADF,
        32 | 33 | 231 => EBUSY,
        995 | 10004 => ECANCELED,
        1236 | 10053 => ECONNABORTED,
        1225 | 10061 => ECONNREFUSED,
        64 | 10054 => ECONNRESET,
        10039 => EDESTADDRREQ,
        80 | 183 => EEXIST,
        998 | 10014 => EFAULT,
        1232 | 10065 => EHOSTUNREACH,
        13 | 87 | 10022 => EINVAL,
        10036 => EINPROGRESS,
        23 | 29 | 30 | 1117 => EIO,
        10056 => EISCONN,
        4 | 10024 => EMFILE,
        10040 => EMSGSIZE,
        206 | 10063 => ENAMETOOLONG,
        10050 => ENETDOWN,
        1231 | 10051 => ENETUNREACH,
        10052 => ENETRESET,
        10055 => ENOBUFS,
        2 | 3 | 123 | 161 | 11001 => ENOENT,
        8 | 14 => ENOMEM,
        112 => ENOSPC,
        2250 | 10057 => ENOTCONN,
        10038 => ENOTSOCK,
        50 | 10045 => ENOTSUP,
        1 | 120 => ENOSYS,
        1314 => EPERM,
        109 | 230 | 233 => EPIPE,
        10058 => ESHUTDOWN,
        10043 => EPROTONOSUPPORT,
        10042 => ENOPROTOOPT,
        10041 => EPROTOTYPE,
        19 => EROFS,
        121 | 258 | 10060 => ETIMEDOUT,
        17 => EXDEV,
        145 => ENOTEMPTY,
        10064 => EHOSTDOWN,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_linuxs() {
        assert!(NAMES.iter().all(|&(_, number)| number > 0));
        #[cfg(target_os = "linux")]
        for &(name, number) in NAMES {
            let text = std::io::Error::from_raw_os_error(number).to_string();
            assert!(!text.contains("Unknown"), "{name} is {text}");
        }
        #[cfg(unix)]
        for (host, number) in
            [(libc::EAGAIN, EAGAIN), (libc::ENOTSUP, ENOTSUP), (libc::ECONNREFUSED, ECONNREFUSED)]
        {
            assert_eq!(linux_number(host), number);
        }
        #[cfg(windows)]
        for (host, number) in [(10035, EAGAIN), (10061, ECONNREFUSED), (109, EPIPE)] {
            assert_eq!(linux_number(host), number);
        }
    }
}
