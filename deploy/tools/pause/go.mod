module tradewind.example/tools/pause

go 1.26.0
